import type { Refusal } from '../../schemas/errors.ts';
import { sendRefusal } from './answer.ts';
import type { Call, Caller } from './call.ts';
import type { OnHeld } from './held-call.ts';
import { proceed } from './hub-to-hold.ts';
import { inBackground } from './in-background.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import type { Received } from './receive-body.ts';
import type { Prepare, SpendingRoute } from './spending-route.ts';
import type { UnparsedCall } from './unparsed-call.ts';
import type { Upload } from './upload.ts';

/**
 * The first step of a call that can spend, once its body is here: the form that this has within the relay. From here to the upstream a plain call waits for
 * nothing, which is why these steps are no async functions: each would take a microsecond, and hold a frame until the answer has been sent.
 */
export const begin = (
  deps: PipelineDeps,
  call: Call,
  asked: SpendingRoute,
  caller: Caller,
  received: Buffer | Received | Refusal | null,
  onHeld: OnHeld,
): Promise<void> | void => {
  if (received === null) return;
  const isWhole = Buffer.isBuffer(received);
  if (!isWhole && 'refused' in received) return sendRefusal(call, received);
  const body = isWhole ? received : received.body;
  const upload = isWhole ? null : received.upload;
  const { hubBody, prepare } = asked;
  if (prepare !== undefined) return beginPrepared(deps, call, asked, caller, body, upload, prepare, onHeld);
  const inHubForm = hubBody === null ? body : hubBody(body, deps.limits);
  if ('refused' in inHubForm) return sendRefusal(call, inHubForm);
  const read: UnparsedCall = { body, upload, inHubForm, responses: undefined, parsed: undefined, pinned: undefined, task: null };
  return proceed(deps, call, asked, caller, read, onHeld);
};

const beginPrepared = async (
  deps: PipelineDeps,
  call: Call,
  asked: SpendingRoute,
  caller: Caller,
  body: Buffer,
  upload: Upload | null,
  prepare: Prepare,
  onHeld: OnHeld,
): Promise<void> => {
  const prepared = await prepare(call, caller, body);
  if ('refused' in prepared) return sendRefusal(call, prepared);
  call.dialect = prepared.dialect;
  const { responses, parsed, pinned, task = null } = prepared;
  const read: UnparsedCall = { body, upload, inHubForm: prepared.body, responses, parsed, pinned, task };
  if (prepared.background === undefined) return proceed(deps, call, asked, caller, read, onHeld);
  return inBackground(deps, call, caller, prepared.background, (detached, held) => proceed(deps, detached, asked, caller, read, held));
};
