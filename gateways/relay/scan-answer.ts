import type { Usage } from '../../schemas/usage.ts';
import { scanObject, type Span } from './json-spans.ts';
import type { NativeForm } from './native/native-form.ts';
import { readUsageAt } from './read-usage.ts';

/** Where the members of an answer are that we must read. */
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

/** What is in a whole body that came with a status of success, or what is wrong with it. */
export const scanAnswer = (body: Buffer, streamed: boolean, native: NativeForm | null): ScannedAnswer | BodyFault => {
  const names = native === null ? HUB_MEMBERS : native.members;
  const { closed, spans } = scanObject(body, [names.usage, 'error', names.model]);
  const [usage = null, error = null, model = null] = spans;
  if (!closed) return { fault: 'upstream_garbled', why: 'the answer is not a JSON object', usage: null };
  const failed = error !== null && !isNull(body, error);
  if (!failed && !streamed) return { usage, model };
  const reading = native === null ? readUsageAt(body, usage, 'chat') : native.reading(body, usage);
  const billed = reading.kind === 'reported' ? reading.usage : null;
  return failed
    ? { fault: 'upstream_failed', why: 'an error came with a status of success', usage: billed }
    : { fault: 'upstream_garbled', why: 'a plain answer came where a stream was asked for', usage: billed };
};
