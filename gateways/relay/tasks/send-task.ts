import { PLATFORMS, platformOf } from '../../../domain/task/platforms/platforms.ts';
import { providerOf } from '../../../domain/providers/providers.ts';
import { toDollarText } from '../../../domain/ledger/money.ts';
import { isoInstant } from '../../../domain/kernel/iso-instant.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import type { EventOf } from '../../../schemas/events/catalogue.ts';
import { sendBody, sendRefusal } from '../answer.ts';
import type { Attempted } from '../attempted.ts';
import { charge } from '../charge.ts';
import { rulesOf } from '../endpoints/endpoints.ts';
import { CLIENT_LEFT, elapsed, release, type HeldCall } from '../held-call.ts';
import { valueOfAnswer } from '../hub-answer.ts';
import type { RelayDeps } from '../relay-deps.ts';
import { TASK_LIFE_MS } from './task-desk.ts';
import { sealHook } from './task-hook.ts';
import type { TaskAsked } from './task-asked.ts';

const GARBLED = refuse('upstream_garbled', 'The upstream took the task and did not say by which name.');

/**
 * An upstream has taken a task. It is recorded first and charged then: whoever dies in between leaves a task that is charged to nobody,
 * and never a charge whose task nobody knows.
 */
export const sendTask = async (
  deps: RelayDeps,
  held: HeldCall,
  asked: TaskAsked,
  { served, body }: Extract<Attempted, { kind: 'plain' }>,
): Promise<void> => {
  const { call, parsed, hold, claim, route } = held;
  served.finish('answered');
  const { tasks } = deps;
  const platform = platformOf(providerOf(served.channel.settings.provider)?.dialect ?? 'anthropic');
  const said = valueOfAnswer(body);
  const taken = platform === null ? null : PLATFORMS[platform].taken(said);
  if (tasks === null || call.caller === null || platform === null || taken === null || !('upstreamId' in taken)) {
    await release(deps, held, 'upstream_failed', true, 502);
    return sendRefusal(call, GARBLED);
  }
  const { user, token } = call.caller;
  const now = deps.clock.now();
  const taskId = tasks.nextId();
  const hook = asked.hook === undefined ? null : sealHook(tasks.secrets, taskId, asked.hook);
  const submission: EventOf<'TaskSubmitted'>['data'] = {
    taskId,
    userId: user.userId,
    tokenId: token.tokenId,
    requestId: call.requestId,
    leaseId: hold.leaseId,
    model: route.model,
    shape: asked.shape,
    action: asked.action,
    platform,
    upstreamAction: asked.upstreamAction(platform),
    channelId: served.channel.channelId,
    channelKeyId: call.attempts.at(-1)?.channelKeyId ?? null,
    upstreamId: taken.upstreamId,
    price: hold.amount,
    seconds: asked.seconds,
    size: asked.size,
    source: asked.source,
    ...(hook === null ? {} : { hook: hook.sealed }),
    submittedAt: isoInstant(now),
    expiresAt: isoInstant(now + TASK_LIFE_MS),
  };
  const task = await tasks.submit(submission);
  if (isRefusal(task)) {
    await release(deps, held, 'upstream_failed', true, 503);
    return sendRefusal(call, task);
  }

  call.firstByteMs = elapsed(deps, call);
  held.ended = true;
  const rules = rulesOf(parsed.endpoint);
  const reading = rules.reading({ body, usage: null }, parsed, route.price);
  const status = call.clientGone ? CLIENT_LEFT : 200;
  const charged = await charge(deps, call, hold, parsed, route, served, status, reading, () => rules.produced(body));
  if (isRefusal(charged)) {
    claim?.spent();
    await tasks.abandon(task);
    return sendRefusal(call, charged);
  }
  const answer = JSON.stringify(asked.answer(task, said));
  const headers = [
    'x-oblivious-cost',
    toDollarText(charged.cost),
    'x-oblivious-channel',
    served.channel.channelId,
    'x-oblivious-task',
    taskId,
  ];
  claim?.done({ status: 200, headers: ['content-type', 'application/json', ...headers], body: Buffer.from(answer) });
  // A secret is said once, and kept with nothing that is answered again.
  sendBody(call, 200, 'application/json', answer, hook === null ? headers : [...headers, 'x-oblivious-hook-secret', hook.secret]);
};
