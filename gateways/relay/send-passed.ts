import { isOpenaiError, saidByForeignError } from '../../domain/dialects/openai/foreign-error.ts';
import { errorTable } from '../../schemas/errors.ts';
import { sendBody } from './answer.ts';
import type { Attempted } from './attempted.ts';
import { parsedJson } from './dialects/parsed-json.ts';
import { release, type HeldCall } from './held-call.ts';
import type { PipelineDeps } from './pipeline-deps.ts';

/** No error that can be told is longer. */
const FOREIGN_ERROR_BYTES = 64 * 1024;

/** The upstream's own words on a fault of the caller's: nothing is charged for them. */
export const sendPassed = async (
  deps: PipelineDeps,
  held: HeldCall,
  { status, headers, body, native }: Extract<Attempted, { kind: 'passed' }>,
): Promise<void> => {
  const { call } = held;
  call.errorCode = 'upstream_refused';
  await release(deps, held, 'refused', false, status);
  const isJson = (headers['content-type'] ?? '').toLowerCase().startsWith('application/json') && body[0] === 0x7b;
  if (isJson && native !== null) return sendBody(call, status, 'application/json', body);
  const text = body.toString('utf8', 0, FOREIGN_ERROR_BYTES);
  if (isJson && isOpenaiError(parsedJson(body.toString('utf8'))))
    return sendBody(call, status, 'application/json', call.dialect.passedError(status, body, call.requestId));
  // What is no error in OpenAI's shape is made one: clients read nothing else.
  const error = {
    message: saidByForeignError(text) ?? 'The upstream refused the request and did not say why in a form that can be passed on.',
    type: status < 500 ? 'invalid_request_error' : errorTable.upstream_refused.type,
    param: null,
    code: 'upstream_refused',
  };
  sendBody(call, status, 'application/json', call.dialect.passedError(status, Buffer.from(JSON.stringify({ error })), call.requestId));
};
