import { askedToWait } from '../../../domain/relay/backoff.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { Attempt } from '../../../schemas/events/lease.ts';
import type { AttemptId } from '../../../schemas/ids.ts';
import type { DirectoryChannel } from '../../ports/directory.ts';
import type { Hold } from '../../ports/spending.ts';
import { asItComes } from '../as-it-comes.ts';
import type { Call } from '../call.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { startAttemptSpan } from '../trace.ts';
import { mappedBy } from '../upstream-address.ts';
import type { Asking } from './asking.ts';
import { isBodiless } from './passed-method.ts';
import { requestFor } from './passed-request.ts';
import { Passing, type Passed } from './passing.ts';

const statusOf = (passed: Passed): number | null => ('status' in passed ? passed.status : null);

/** What a try came to. `isCutShort`: by the client or by us. */
export const outcomeOf = (passed: Passed, isCutShort: boolean): Attempt['outcome'] => {
  switch (passed.kind) {
    case 'unanswered':
      if (passed.why === 'timed_out') return 'timed_out';
      return passed.why === 'interrupted' || passed.why === 'not_recorded' ? 'aborted' : 'failed';
    case 'broken':
      return isCutShort ? 'aborted' : 'failed';
    case 'judged':
      return 'refused';
    case 'answered':
      return passed.status >= 400 ? 'refused' : 'answered';
  }
};

export interface Exchanged {
  readonly passed: Passed;
  readonly attemptId: AttemptId;
}

/** Asks one channel, once: nobody here can tell whether what is asked may be asked twice. */
export const exchange = async (
  deps: PipelineDeps,
  call: Call,
  asking: Asking,
  channel: DirectoryChannel,
  hold: Hold | null,
  isTooLarge: () => void,
): Promise<Exchanged | Refusal> => {
  const { states, stopwatch, limits } = deps;
  const model = asking.price?.model ?? '';
  const picked = states.nextKey(channel, null, null, deps.random());
  if (!picked.usable) return refuse('no_channel', undefined, { retryAfterSeconds: states.secondsUntilReady([channel]) });
  const { key } = picked;
  const comes = asking.body === null && !isBodiless(asking.method);
  const stream = comes ? asItComes(call.req, limits.uploadBytes, isTooLarge) : null;
  const request = requestFor(deps.sandboxUrl(), call, asking, channel, key === null ? null : deps.channelSecrets.open(key), stream);
  if (request === null) return refuse('no_channel');

  const attemptId = deps.ids.next('att') as AttemptId;
  call.channelId = channel.channelId;
  if (asking.price !== null) call.upstreamModel = mappedBy(channel.settings, model)?.upstreamModel ?? model;
  const begun = stopwatch.elapsed();
  const span = startAttemptSpan(deps.tracer, call, channel.channelId, call.upstreamModel ?? '');
  const { times } = channel.settings;
  states.attempted(channel, model);
  const passed = await new Promise<Passed>((resolve) =>
    new Passing(
      deps,
      call,
      {
        recorded: hold === null ? null : hold.durable,
        model: call.upstreamModel ?? '',
        withinMs: times?.answerSeconds === undefined ? limits.answerMs : times.answerSeconds * 1_000,
        headers: ['x-oblivious-channel', channel.channelId],
        // Where a client is sent to another place, or told of a credential that is not its own, it has no use for it.
        mayPass: (status) => status !== 401 && status !== 402 && (status < 300 || status >= 400 || status === 304),
      },
      resolve,
    ).begin((listener) => deps.upstream.send(request, listener)),
  );
  stream?.destroy();

  const status = statusOf(passed);
  const outcome = outcomeOf(passed, call.interrupted !== null);
  const durationMs = Math.round(stopwatch.elapsed() - begun);
  call.attempts.push({ attemptId, channelId: channel.channelId, channelKeyId: key?.keyId ?? null, outcome, status, durationMs });
  states.ended(channel);
  deps.metrics.attemptFinished(channel.channelId, outcome, durationMs);
  span?.end(outcome, status);

  if (outcome === 'failed' || outcome === 'timed_out') states.failed(channel, model, 'silence', 'it did not answer to its end');
  else if (status === 401) states.keyRefused(channel, key, 'the upstream answered 401');
  else if (status === 402) states.keySpent(channel, key);
  else if (status === 429 && passed.kind !== 'judged') states.keyLimited(channel, key, askedToWait(undefined, undefined, deps.clock.now()));
  else if (outcome === 'answered') states.succeeded(channel, model, key, durationMs);
  return { passed, attemptId };
};
