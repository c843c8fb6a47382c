import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { GatheredBody } from './bodies/gathered-body.ts';
import { FormScanner, type FormPart } from './form-scanner.ts';
import type { RelayLimits } from './relay-limits.ts';

const MALFORMED = refuse('invalid_request', 'The body is not a complete form of multipart/form-data.');
const TWO_MODELS = refuse('invalid_request', 'The field "model" is there twice.', { param: 'model' });

const ignore = (): void => undefined;

/**
 * A form whose files are passed on as they come. What came before its model was known is held, and can be sent any number of
 * times; what comes behind that goes to one upstream and is gone.
 */
export class Upload {
  /** What is held: from the first byte on. */
  readonly head: Buffer;
  /** The whole body's, where its sender says; else of what is held. */
  readonly length: number | null;
  /** Bytes that came so far. */
  bytes: number;
  /** An upstream was given something that is not held. */
  begun = false;
  /** Why the rest never came; `left`: the client did. */
  failure: Refusal | 'left' | null = null;
  /** `null`: there is no rest. */
  readonly #rest: IncomingMessage | null;
  readonly #scanner: FormScanner;
  /** The most that is taken. */
  readonly limit: number;

  constructor(head: Buffer, length: number | null, rest: IncomingMessage | null, scanner: FormScanner, limit: number) {
    this.head = head;
    this.bytes = head.length;
    this.length = length;
    this.#rest = rest;
    this.#scanner = scanner;
    this.limit = limit;
  }

  get parts(): readonly FormPart[] {
    return this.#scanner.parts;
  }

  /** All of it is held. */
  get whole(): boolean {
    return this.#rest === null;
  }

  /** It can be sent to another upstream. */
  get repeatable(): boolean {
    return !this.begun;
  }

  /** The body as it goes out: `head` in place of what is held, and the rest as it comes. */
  body(head: Buffer): Buffer | Readable {
    const rest = this.#rest;
    if (rest === null) return head;
    let onData: ((chunk: Buffer) => void) | null = null;
    let onEnd = ignore;
    let onClose = ignore;
    const detach = (): void => {
      if (onData === null) return;
      rest.off('data', onData);
      rest.off('end', onEnd);
      rest.off('close', onClose);
      rest.pause();
      onData = null;
    };
    let isFirst = true;
    const stream = new Readable({
      read: () => {
        if (isFirst) {
          isFirst = false;
          stream.push(head);
          return;
        }
        if (onData === null) {
          onData = (chunk) => {
            this.begun = true;
            this.bytes += chunk.length;
            this.#scanner.push(chunk);
            const wrong = this.#wrong();
            if (wrong !== null) return void stream.destroy(this.#failed(wrong));
            if (!stream.push(chunk)) rest.pause();
          };
          onEnd = () => (this.#scanner.complete ? void stream.push(null) : void stream.destroy(this.#failed(MALFORMED)));
          onClose = () => void stream.destroy(this.#failed('left'));
          rest.on('data', onData).on('end', onEnd).on('close', onClose);
          if (rest.destroyed && !rest.readableEnded) return onClose();
        }
        rest.resume();
      },
      destroy: (error, done) => {
        detach();
        done(error);
      },
    });
    // Whoever reads it hears of it; nobody may be there to.
    return stream.on('error', ignore);
  }

  #wrong(): Refusal | null {
    if (this.#scanner.wrong) return MALFORMED;
    if (this.bytes > this.limit) return refuse('body_too_large', `The body is larger than the ${this.limit} bytes that are taken here.`);
    return this.#scanner.parts.filter(({ name }) => name === 'model').length > 1 ? TWO_MODELS : null;
  }

  #failed(why: Refusal | 'left'): Error {
    this.failure = why;
    return new Error('the upload did not come to its end');
  }
}

/** A form that is here already. */
export const heldUpload = (body: Buffer, boundary: string): Upload => {
  const scanner = new FormScanner(boundary);
  scanner.push(body);
  return new Upload(body, body.length, null, scanner, body.length);
};

/**
 * Reads a form as far as its model; a form that names it behind its files is held as far as that. Files do not have to have
 * come. `null`: the client went away.
 */
export const readUpload = (
  req: IncomingMessage,
  boundary: string,
  limits: Pick<RelayLimits, 'bodyBytes' | 'uploadBytes'>,
): Promise<Upload | Refusal | null> => {
  if (boundary === '') return Promise.resolve(refuse('unsupported_media_type', 'Send the body as multipart/form-data.'));
  const announced = req.headers['content-length'];
  const length = announced === undefined ? null : Number(announced);
  if (length !== null && length > limits.uploadBytes)
    return Promise.resolve(refuse('body_too_large', `The body is larger than the ${limits.uploadBytes} bytes that are taken here.`));
  const scanner = new FormScanner(boundary);
  return new Promise((resolve) => {
    const held = new GatheredBody();
    let bytes = 0;
    const settle = (upload: Upload | Refusal | null): void => {
      req.pause();
      req.off('data', onData);
      req.off('end', onEnd);
      req.off('close', onClose);
      resolve(upload);
    };
    const onData = (chunk: Buffer): void => {
      held.push(chunk);
      bytes += chunk.length;
      scanner.push(chunk);
      if (scanner.wrong) settle(MALFORMED);
      // What is behind the form's end has come too, or is nothing.
      else if (!scanner.complete && scanner.parts.some(({ name, end }) => name === 'model' && end !== null))
        settle(new Upload(held.whole(), length, req, scanner, limits.uploadBytes));
      else if (bytes > limits.bodyBytes)
        settle(
          refuse(
            'body_too_large',
            `Put the field "model" before files of more than ${limits.bodyBytes} bytes: where they go depends on it.`,
            {
              param: 'model',
            },
          ),
        );
    };
    const onEnd = (): void => {
      const body = held.whole();
      settle(new Upload(body, body.length, null, scanner, limits.uploadBytes));
    };
    const onClose = (): void => settle(null);
    req.on('data', onData).on('end', onEnd).on('close', onClose);
  });
};
