import type { Refusal } from '../../schemas/errors.ts';
import { CallRoom } from './bodies/body-room.ts';
import type { Call } from './call.ts';
import { rulesOf } from './endpoints/endpoints.ts';
import { boundaryOf } from './form-scanner.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import { readBody } from './read-body.ts';
import type { SpendingRoute } from './spending-route.ts';
import { heldUpload, readUpload, type Upload } from './upload.ts';

/** A body of which the rest may still come. */
export interface Received {
  readonly body: Buffer;
  /** Of which `body` is what is held; `null`: nothing is passed on while it comes. */
  readonly upload: Upload | null;
}

/** What has to be known again, or unpacked, is held whole. */
const receiveUpload = async ({ limits }: PipelineDeps, { req, room }: Call): Promise<Received | Refusal | null> => {
  const boundary = boundaryOf(req.headers['content-type']) ?? '';
  if (req.headers['idempotency-key'] === undefined && req.headers['content-encoding'] === undefined) {
    const upload = await readUpload(req, boundary, limits);
    return upload === null || 'refused' in upload ? upload : { body: upload.head, upload };
  }
  const body = await readBody(req, limits.bodyBytes, 'form', { room });
  return body === null || 'refused' in body ? body : { body, upload: heldUpload(body, boundary) };
};

/** A body, or as much of it as has to be known before the rest is passed on. */
export const receiveBody = (
  deps: PipelineDeps,
  call: Call,
  { endpoint, hubBody, prepare }: SpendingRoute,
): Promise<Buffer | Received | Refusal | null> => {
  const { req } = call;
  const room = new CallRoom(deps.bodies);
  call.room = room;
  const { bodies } = rulesOf(endpoint);
  if (bodies === 'upload') return receiveUpload(deps, call);
  const isForm = bodies === 'either' ? /^multipart\//i.test(req.headers['content-type'] ?? '') : bodies !== 'json';
  // Other bodies are made into new ones here, or looked into: those are held whole.
  const elides = endpoint === 'chat' && hubBody === null && prepare === undefined;
  return readBody(req, deps.limits.bodyBytes, isForm ? 'form' : 'json', { room, elides });
};
