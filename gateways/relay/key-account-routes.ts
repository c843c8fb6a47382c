import type { Router } from 'express';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { KeyStandings } from '../ports/key-standing.ts';
import { sendJson, sendRefusal } from './answer.ts';
import type { Call } from './call.ts';
import { keyAnswer, subscriptionAnswer, usageAnswer } from './key-account.ts';
import type { LookRoute } from './look-route.ts';

export const KEY = '/v1/key';
export const SUBSCRIPTION = '/v1/dashboard/billing/subscription';
export const USAGE = '/v1/dashboard/billing/usage';

/** The two billing addresses exist without `/v1` too: half of the clients that ask for them were written so. */
const withoutVersion = (path: string): string => path.slice('/v1'.length);

const respond = (call: Call, answer: object | Refusal): void =>
  isRefusal(answer) ? sendRefusal(call, answer) : sendJson(call, 200, answer);

/** The addresses at which a key learns how its account stands. */
export const addKeyAccountRoutes = (router: Router, standings: KeyStandings, look: LookRoute): void => {
  router.get(
    KEY,
    look(KEY, null, async (call, caller) => respond(call, await keyAnswer(standings, caller))),
  );
  router.get(
    [SUBSCRIPTION, withoutVersion(SUBSCRIPTION)],
    look(SUBSCRIPTION, 'billing', async (call, caller) => {
      const standing = await standings.of(caller.user.userId, caller.token.tokenId);
      respond(call, isRefusal(standing) ? standing : subscriptionAnswer(standing, caller));
    }),
  );
  router.get(
    [USAGE, withoutVersion(USAGE)],
    look(USAGE, 'billing', async (call, caller) => {
      const standing = await standings.of(caller.user.userId, caller.token.tokenId);
      respond(call, isRefusal(standing) ? standing : usageAnswer(standing));
    }),
  );
};
