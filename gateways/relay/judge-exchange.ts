import { askedToWait } from '../../domain/relay/backoff.ts';
import { DEFAULT_DISABLE_RULES, disabledBy } from '../../domain/relay/disable-rules.ts';
import { judgeUpstream, type UpstreamVerdict } from '../../domain/relay/upstream-verdict.ts';
import type { ErrorCode } from '../../schemas/errors.ts';
import type { DisableRule } from '../../schemas/events/channel-rules.ts';
import type { DirectoryChannel } from '../ports/directory.ts';
import type { AttemptDeps } from './attempt-deps.ts';
import type { Attempted } from './attempted.ts';
import type { CallRouting } from './call-routing.ts';
import type { Call } from './call.ts';
import type { FailureKind } from './channel-states.ts';
import type { AnswerForm } from './endpoints/endpoint.ts';
import type { Flight } from './flight.ts';
import { bytesOfAnswer } from './hub-answer.ts';
import type { Opened } from './opening.ts';
import { errorOf } from './said-error.ts';
import { scanAnswer, type ScannedAnswer } from './scan-answer.ts';
import type { Tries } from './tries.ts';

const JSON_TYPE = 'application/json';
const OCTETS = 'application/octet-stream';
const NOTHING_SCANNED: ScannedAnswer = { usage: null, model: null };

const NO_ERROR = { code: null, type: null } as const;

/** How much of an error is read for what a rule looks for. */
const ERROR_TEXT_BYTES = 8 * 1024;

const rulesOf = ({ settings }: DirectoryChannel): readonly DisableRule[] => settings.disableRules ?? DEFAULT_DISABLE_RULES;

const reasonOf = (status: number, code: string | null): string =>
  `the upstream answered ${status}${code === null ? '' : ` (${code.slice(0, 64)})`}`;

/** What one opened exchange means: an end of the tries (an {@link Attempted}), or `null`: another may be tried. */
export const judge = (
  deps: AttemptDeps,
  call: Call,
  answers: AnswerForm,
  opened: Opened,
  flight: Flight,
  tries: Tries,
  routing: CallRouting,
  model: string,
): Attempted | null => {
  const { states } = deps;
  const { channel, key, native } = flight;
  const failChannel = (code: ErrorCode, why: string, kind: FailureKind = 'answer', waitMs: number | null = null): null => {
    routing.passOver(channel.channelId);
    tries.fail(code, waitMs);
    states.failed(channel, model, kind, why);
    call.detail = why;
    return null;
  };
  switch (opened.kind) {
    case 'interrupted':
      flight.record('aborted', null);
      return { kind: 'interrupted', billed: true, accepted: opened.accepted ? flight : null };
    case 'timed_out':
      flight.record('timed_out', null);
      tries.billed = true;
      return failChannel('upstream_timed_out', 'it did not answer in time', 'silence');
    case 'fault':
      flight.record('failed', null);
      if (opened.fault.kind === 'broken') tries.billed = true;
      return failChannel('upstream_failed', opened.fault.message, 'silence');
    case 'garbled':
      flight.record('failed', 200);
      tries.billed = true;
      return failChannel('upstream_garbled', opened.why);
    case 'error_event':
      flight.record('failed', 200);
      return failChannel('upstream_failed', 'an error came as the first event of a stream');
    case 'stream':
      states.answering(channel, model);
      return { kind: 'stream', served: flight, contentType: opened.headers['content-type'] ?? OCTETS, source: opened.source, native };
    case 'body':
      break;
  }
  const { body } = opened;
  const said = native?.statusOf(opened.status, bytesOfAnswer(body)) ?? opened.status;
  const headers = native === null ? opened.headers : { ...opened.headers, ...native.headersOf(said, bytesOfAnswer(body)) };
  const status = channel.settings.statusMap?.find(({ from }) => from === said)?.to ?? said;
  const answered = status === 200 || status === 201;
  const error = answered ? null : bytesOfAnswer(body);
  const { code, type } = error === null ? NO_ERROR : errorOf(native === null ? error : native.hubError(said, error));
  const waitMs = askedToWait(headers['retry-after-ms'], headers['retry-after'], deps.clock.now());
  const disabled =
    error === null ? null : disabledBy(rulesOf(channel), { status, code, type, text: error.toString('utf8', 0, ERROR_TEXT_BYTES) });
  const verdict: UpstreamVerdict =
    disabled === 'channel' ? 'channel_unfit' : disabled === 'key' && key !== null ? 'key_refused' : judgeUpstream(status, code, type);
  switch (verdict) {
    case 'answer': {
      const contentType = headers['content-type'] ?? JSON_TYPE;
      const isOther = answers === 'told' && !contentType.toLowerCase().startsWith(JSON_TYPE);
      const scanned = isOther ? NOTHING_SCANNED : scanAnswer(body, call.streamed && answers !== 'told', native);
      if (!('fault' in scanned))
        return { kind: 'plain', served: flight, contentType: isOther ? contentType : JSON_TYPE, body, scanned, native };
      flight.record('failed', status, scanned.usage ?? undefined);
      tries.billed = scanned.fault === 'upstream_garbled' || scanned.usage !== null || tries.billed;
      return failChannel(scanned.fault, scanned.why);
    }
    case 'callers_fault':
      flight.record('refused', status);
      states.succeeded(channel, model, key, 0);
      return { kind: 'passed', status, headers, body: bytesOfAnswer(body), native };
    case 'key_refused':
      flight.record('refused', status);
      states.keyRefused(channel, key, reasonOf(status, code));
      break;
    case 'key_spent':
      flight.record('refused', status);
      states.keySpent(channel, key);
      break;
    case 'rate_limited':
      flight.record('refused', status);
      states.keyLimited(channel, key, waitMs);
      tries.fail('upstream_rate_limited', waitMs);
      break;
    case 'channel_unfit':
      flight.record('refused', status);
      routing.passOver(channel.channelId);
      if (disabled === 'channel') states.channelRefused(channel, reasonOf(status, code));
      break;
    case 'channel_failed':
      flight.record('failed', status);
      return failChannel('upstream_failed', `the upstream answered ${status}`, 'answer', waitMs);
  }
  call.detail = reasonOf(status, code);
  if (verdict !== 'rate_limited') tries.fail('upstream_refused');
  // A channel that was called without a key has no other to offer.
  if (key === null) routing.passOver(channel.channelId);
  else routing.passOverKey(key.keyId);
  return null;
};
