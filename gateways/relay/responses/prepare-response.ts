import { chatRequestOf } from '../../../domain/dialects/responses/chat-request.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import { responsesAnswers } from '../dialects/responses-answers.ts';
import { readResponsesRequest } from '../dialects/responses-requests.ts';
import type { RelayDeps } from '../relay-deps.ts';
import type { Prepare } from '../spending-route.ts';

/** A request of the Responses API as one of chat completions. */
export const prepareResponse =
  (deps: Pick<RelayDeps, 'clock' | 'limits'>): Prepare =>
  async (call, _caller, body) => {
    const request = readResponsesRequest(body, deps.limits);
    if (isRefusal(request)) return request;
    for (const name of ['previous_response_id', 'conversation'] as const) {
      if (request[name] !== undefined && request[name] !== null)
        return refuse('invalid_request', `${name}: answers are not kept here; send what was said before again.`, { param: name });
    }
    if (request.background === true)
      return refuse('invalid_request', 'background: answers are given while their caller waits.', { param: 'background' });
    const said = chatRequestOf(request, []);
    if (isRefusal(said)) return said;
    if (said.unsayable !== null) return said.unsayable;
    return {
      body: Buffer.from(JSON.stringify(said.chat)),
      dialect: responsesAnswers({ request, startedAt: call.startedAt, now: () => deps.clock.now() }),
    };
  };
