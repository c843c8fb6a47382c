import type { TokenCommand } from '../../../domain/token/token.ts';
import { issueToken } from '../../../commands/tokens/issue-token.ts';
import { runTokenCommand } from '../../../commands/tokens/run-token-command.ts';
import { setKeyCaps } from '../../../commands/tokens/set-caps.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { UNRESTRICTED } from '../../../schemas/events/token.ts';
import type { TokenId } from '../../../schemas/ids.ts';
import type { Call, Handlers } from '../handler.ts';
import type { Route } from '../route.ts';
import { doneAt, mayTouch, ownedBy, ownerOf, pageOf, positionText, selfOf } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

type KeyHandlers = Pick<
  Handlers,
  | 'listKeys'
  | 'createKey'
  | 'readKey'
  | 'changeKey'
  | 'restrictKey'
  | 'setKeyCaps'
  | 'enableKey'
  | 'disableKey'
  | 'revokeKey'
  | 'restoreKey'
>;

type KeyCall = Pick<Call<Route & { readonly auth: 'user' }>, 'caller' | 'context' | 'expectedRevision'> & {
  readonly params: { readonly tokenId: TokenId };
};

const NO_SUCH_KEY = refuse('not_found', 'There is no such key.');

export const keyHandlers = (deps: HandlerDeps): KeyHandlers => {
  const { reads } = deps;
  const run = async (
    { caller, params, context, expectedRevision }: KeyCall,
    command: Exclude<TokenCommand, { kind: 'issue' }>,
  ): Promise<{ readonly position: string | null } | Refusal> =>
    doneAt(
      await runTokenCommand(deps, params.tokenId, command, context(params.tokenId), {
        ...ownedBy(caller),
        ...(expectedRevision === undefined ? {} : { expectedRevision }),
      }),
    );

  return {
    listKeys: async ({ caller, query }) => {
      const owner = ownerOf(caller, query);
      return isRefusal(owner) ? owner : reads.keys({ owner, status: query.status, search: query.search }, pageOf(query));
    },

    createKey: async ({ caller, body, context }) => {
      const userId = body.userId ?? selfOf(caller);
      if (isRefusal(userId)) return userId;
      if (!mayTouch(caller, userId)) return refuse('forbidden', 'Only administrators make keys for others.', { param: 'userId' });
      const { name, expiresAt = null, restrictions, caps = {} } = body;
      const issued = await issueToken(
        deps,
        { userId, name, expiresAt, restrictions: { ...UNRESTRICTED, ...restrictions }, caps },
        context(userId),
      );
      return isRefusal(issued) ? issued : { ...issued, position: positionText(issued.position) };
    },

    readKey: async ({ caller, params }) => {
      const key = await reads.key(params.tokenId);
      return key === null || !mayTouch(caller, key.userId) ? NO_SUCH_KEY : key;
    },

    changeKey: (call) => run(call, { kind: 'renew', ...call.body }),
    restrictKey: (call) => run(call, { kind: 'restrict', restrictions: call.body }),
    setKeyCaps: async ({ caller, params, body, context }) =>
      doneAt(await setKeyCaps(deps, { tokenId: params.tokenId, ...ownedBy(caller) }, body, context(params.tokenId))),
    enableKey: (call) => run(call, { kind: 'enable' }),
    disableKey: (call) => run(call, { kind: 'disable', reason: call.body.reason ?? '' }),
    revokeKey: (call) => run(call, { kind: 'revoke', reason: call.body.reason ?? '' }),
    restoreKey: (call) => run(call, { kind: 'restore' }),
  };
};
