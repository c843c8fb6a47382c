import type { Usage } from '../../schemas/usage.ts';
import { bytesOfAnswer, type HubAnswer } from './hub-answer.ts';
import { scanObject, type Span } from './json-spans.ts';
import type { NativeForm } from './native/native-form.ts';
import { readUsage } from './read-usage.ts';

/** Where in the bytes of an answer the members are that we must read; nowhere in one that was told as a value. */
export interface ScannedAnswer {
  readonly usage: Span | null;
  readonly model: Span | null;
}

export interface BodyFault {
  readonly fault: 'upstream_garbled' | 'upstream_failed';
  readonly why: string;
  readonly usage: Usage | null;
}

const isNull = (body: Buffer, { start }: Span): boolean => body[start] === 0x6e;

const HUB_MEMBERS: NativeForm['members'] = { usage: 'usage', model: 'model' };

interface Looked extends ScannedAnswer {
  readonly isObject: boolean;
  readonly failed: boolean;
}

const lookInto = (body: HubAnswer, native: NativeForm | null): Looked => {
  if (!Buffer.isBuffer(body)) return { usage: null, model: null, isObject: true, failed: (body['error'] ?? null) !== null };
  const names = native === null ? HUB_MEMBERS : native.members;
  const { closed, spans } = scanObject(body, [names.usage, 'error', names.model]);
  const [usage = null, error = null, model = null] = spans;
  return { usage, model, isObject: closed, failed: error !== null && !isNull(body, error) };
};

/** What is in a whole body that came with a status of success, or what is wrong with it. */
export const scanAnswer = (body: HubAnswer, streamed: boolean, native: NativeForm | null): ScannedAnswer | BodyFault => {
  const looked = lookInto(body, native);
  const { usage, isObject, failed } = looked;
  if (!isObject) return { fault: 'upstream_garbled', why: 'the answer is not a JSON object', usage: null };
  if (!failed && !streamed) return looked;
  const reading = native === null ? readUsage({ body, usage }, 'chat') : native.reading(bytesOfAnswer(body), usage);
  const billed = reading.kind === 'reported' ? reading.usage : null;
  return failed
    ? { fault: 'upstream_failed', why: 'an error came with a status of success', usage: billed }
    : { fault: 'upstream_garbled', why: 'a plain answer came where a stream was asked for', usage: billed };
};
