import { PLATFORMS } from '../../../domain/task/platforms/platforms.ts';
import type { TaskDialectName } from '../../../domain/providers/provider.ts';
import type { RelayLimits } from '../relay-limits.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { TranslatedAnswer, type StreamTranslation, type Translation } from './translated-answer.ts';
import type { Asked } from './upstream-dialect.ts';

const NO_STREAM: StreamTranslation = { push: (piece) => piece, end: () => Buffer.alloc(0) };

const translation = (platform: TaskDialectName): Translation => {
  const taken = (body: Buffer) => PLATFORMS[platform].taken(jsonIn(body));
  return {
    answer: (body) => body,
    error: (status, body) => {
      const said = taken(body);
      const message = ('refusedWith' in said ? said.refusedWith : '') || `the upstream answered ${status}`;
      return asJson({ error: { message, type: status < 500 ? 'invalid_request_error' : 'server_error', param: null, code: null } });
    },
    // These upstreams refuse with a status of success and say so in the body.
    statusOf: (status, body) => {
      if (status !== 200) return status;
      const said = taken(body);
      return 'status' in said ? said.status : status;
    },
    stream: () => NO_STREAM,
  };
};

/** Hears what an upstream of tasks answers to a submission. */
export const taskAnswer =
  (platform: TaskDialectName, limits: Pick<RelayLimits, 'answerBytes'>): Asked['interpreter'] =>
  (listener) =>
    new TranslatedAnswer(translation(platform), false, limits, listener);
