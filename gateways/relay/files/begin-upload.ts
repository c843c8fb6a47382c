import type { IncomingMessage } from 'node:http';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { KeptPurpose } from '../../../schemas/events/file.ts';
import { NO_ROOM, type CallRoom } from '../bodies/body-room.ts';
import { GatheredBody } from '../bodies/gathered-body.ts';
import { FormScanner, type FormPart } from '../form-scanner.ts';

const MALFORMED = refuse('invalid_request', 'The body is not a complete form of multipart/form-data.');

/** Room for the other fields of a form and what stands around them. */
const FIELDS_BYTES = 64 * 1024;

export type BegunUpload =
  /** For an upstream: what came of it so far; the rest, if any, is still to come. */
  | { readonly kind: 'there'; readonly head: Buffer }
  /** To be kept here: all of it. */
  | { readonly kind: 'here'; readonly filename: string; readonly purpose: KeptPurpose; readonly bytes: Buffer };

const partsNamed = (parts: readonly FormPart[], name: string): readonly FormPart[] => parts.filter((part) => part.name === name);

const wholeFile = (body: Buffer, parts: readonly FormPart[], purpose: KeptPurpose, most: number): BegunUpload | Refusal => {
  const [file, ...others] = partsNamed(parts, 'file');
  if (file === undefined || file.filename === null || file.end === null || others.length > 0 || partsNamed(parts, 'purpose').length > 1)
    return refuse('invalid_request', 'The form has to have one file, and one purpose.', { param: 'file' });
  const more = parts.find(({ name }) => name !== 'file' && name !== 'purpose');
  if (more !== undefined)
    return refuse('invalid_request', `The field "${more.name.slice(0, 64)}" is not possible for files that are kept here.`, {
      param: more.name.slice(0, 64),
    });
  const bytes = body.subarray(file.start, file.end);
  if (bytes.length > most) return tooLarge(most);
  return { kind: 'here', filename: file.filename.slice(0, 300), purpose, bytes };
};

const tooLarge = (most: number): Refusal => refuse('body_too_large', `A file that is kept here has at most ${most} bytes.`);

/**
 * Reads a form as far as its purpose, which says whether the file is kept here, and then all of it if it is. A form whose purpose stands
 * behind a file that is too large to be kept here goes to an upstream. `null`: the client went away.
 */
export const beginUpload = (
  req: IncomingMessage,
  boundary: string,
  room: CallRoom,
  { keptFileBytes }: { readonly keptFileBytes: number },
): Promise<BegunUpload | Refusal | null> => {
  const scanner = new FormScanner(boundary);
  const most = keptFileBytes + FIELDS_BYTES;
  return new Promise((resolve) => {
    const held = new GatheredBody();
    let bytes = 0;
    let purpose: KeptPurpose | null = null;
    const settle = (begun: BegunUpload | Refusal | null): void => {
      req.pause();
      req.off('data', onData);
      req.off('end', onEnd);
      req.off('close', onClose);
      resolve(begun);
    };
    const head = (): Buffer => held.whole();
    const onData = (chunk: Buffer): void => {
      held.push(chunk);
      bytes += chunk.length;
      if (!room.memory(bytes)) return settle(NO_ROOM);
      scanner.push(chunk);
      if (scanner.wrong) return settle(MALFORMED);
      if (purpose === null) {
        const [part] = partsNamed(scanner.parts, 'purpose');
        if (part !== undefined && part.end !== null) {
          const said = KeptPurpose.safeParse(head().toString('utf8', part.start, part.end));
          if (!said.success) return settle({ kind: 'there', head: head() });
          purpose = said.data;
        }
      }
      if (bytes > most) settle(purpose === null ? { kind: 'there', head: head() } : tooLarge(keptFileBytes));
    };
    const onEnd = (): void => {
      if (!scanner.complete) return settle(MALFORMED);
      settle(purpose === null ? { kind: 'there', head: head() } : wholeFile(head(), scanner.parts, purpose, keptFileBytes));
    };
    const onClose = (): void => settle(null);
    req.on('data', onData).on('end', onEnd).on('close', onClose);
  });
};
