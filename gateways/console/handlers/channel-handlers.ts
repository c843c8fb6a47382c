import type { z } from 'zod';
import { addChannel, addChannelKey, changeChannel } from '../../../commands/channels/add-channel.ts';
import { askBalance } from '../../../commands/channels/ask-balance.ts';
import { copyChannel } from '../../../commands/channels/copy-channel.ts';
import { applyModels, discoverModels } from '../../../commands/channels/discover-models.ts';
import { editChannels } from '../../../commands/channels/edit-channels.ts';
import { runChannelCommand, type DirectChannelCommand } from '../../../commands/channels/run-channel-command.ts';
import { testChannel } from '../../../commands/channels/test-channel.ts';
import { isRefusal, refuse, type ErrorCode, type Refusal } from '../../../schemas/errors.ts';
import { PROVIDERS } from '../../../domain/providers/providers.ts';
import type { ProviderView } from '../../../schemas/http/providers.ts';
import type { ChannelView } from '../../../schemas/http/channels.ts';
import { CommandId, type ChannelId } from '../../../schemas/ids.ts';
import type { ChannelTraffics } from '../../ports/channel-traffic.ts';
import type { Call, Handlers } from '../handler.ts';
import type { Route } from '../route.ts';
import { doneAt, positionText } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

type ChannelHandlers = Pick<
  Handlers,
  | 'listChannels'
  | 'listProviders'
  | 'addChannel'
  | 'readChannel'
  | 'changeChannel'
  | 'removeChannel'
  | 'addChannelKey'
  | 'disableChannelKey'
  | 'restoreChannelKey'
  | 'removeChannelKey'
  | 'testChannel'
  | 'enableChannel'
  | 'disableChannel'
  | 'editChannels'
  | 'exportChannels'
  | 'importChannels'
  | 'copyChannel'
  | 'discoverModels'
  | 'askBalance'
  | 'applyModels'
>;

type ChannelCall = Pick<Call<Route & { readonly auth: 'admin' }>, 'context' | 'expectedRevision'> & {
  readonly params: { readonly channelId: ChannelId };
};

/** Channels belong to nobody but the platform. */
const PLATFORM = 'platform';

type Shown = z.output<typeof ChannelView>;

const hasTag =
  (tag: string) =>
  ({ settings: { tags } }: Shown): boolean =>
    tags?.includes(tag) === true;

const withTraffic = async (traffics: ChannelTraffics | null, channels: readonly Shown[]): Promise<Shown[]> => {
  const known = await traffics?.of(channels.map(({ channelId }) => channelId));
  return channels.map((channel) => {
    const traffic = known?.get(channel.channelId);
    return traffic === undefined ? channel : { ...channel, traffic };
  });
};

const shownProviders: z.output<typeof ProviderView>[] = PROVIDERS.filter(({ internal }) => internal !== true).map(
  ({ id, name, baseUrl, blanks = [], keyless = false, serves }) => ({
    id,
    name,
    baseUrl,
    blanks: [...blanks],
    keyless,
    serves: [...serves],
  }),
);

/** The latest place of them all, where a reader sees everything. */
const lastOf = (positions: readonly (bigint | null)[]): string | null =>
  positions
    .reduce<bigint | null>((last, position) => (position !== null && (last === null || position > last) ? position : last), null)
    ?.toString() ?? null;

export const channelHandlers = (deps: HandlerDeps): ChannelHandlers => {
  const run = async (
    { params, context, expectedRevision }: ChannelCall,
    command: DirectChannelCommand,
  ): Promise<{ readonly position: string | null } | Refusal> =>
    doneAt(await runChannelCommand(deps, params.channelId, command, context(PLATFORM), expectedRevision));

  return {
    listChannels: async ({ query: { provider, model, tag } }) => {
      const { rows } = await deps.reads.channels({ provider, model });
      return { rows: await withTraffic(deps.traffics, tag === undefined ? rows : rows.filter(hasTag(tag))) };
    },
    readChannel: async ({ params }) => {
      const channel = await deps.reads.channel(params.channelId);
      if (channel === null) return refuse('not_found', 'There is no such channel.');
      return (await withTraffic(deps.traffics, [channel]))[0] ?? channel;
    },
    listProviders: () => Promise.resolve({ rows: shownProviders }),
    addChannel: async ({ body, context }) => {
      const added = await addChannel(deps, body, context(PLATFORM));
      return isRefusal(added) ? added : { channelId: added.channelId, position: positionText(added.position) };
    },
    changeChannel: async ({ params, body, context, expectedRevision }) => {
      const { settings, blanks, secrets } = body;
      return doneAt(
        await changeChannel(
          deps,
          { ...params, settings, blanks, ...(secrets === undefined ? {} : { secrets }) },
          context(PLATFORM),
          expectedRevision,
        ),
      );
    },
    removeChannel: (call) => run(call, { kind: 'remove' }),
    addChannelKey: async ({ params, body, context }) => {
      const added = await addChannelKey(deps, { ...params, ...body }, context(PLATFORM));
      return isRefusal(added) ? added : { keyId: added.keyId, position: positionText(added.position) };
    },
    disableChannelKey: (call) =>
      run(call, { kind: 'disableKey', keyId: call.params.keyId, by: 'operator', reason: call.body.reason ?? '' }),
    restoreChannelKey: (call) => run(call, { kind: 'restoreKey', keyId: call.params.keyId }),
    removeChannelKey: (call) => run(call, { kind: 'removeKey', keyId: call.params.keyId }),
    testChannel: async ({ params, body, context }) => {
      const tested = await testChannel(deps, { ...params, ...(body.model === undefined ? {} : { model: body.model }) }, context(PLATFORM));
      return isRefusal(tested) ? tested : { ...tested, position: positionText(tested.position) };
    },
    editChannels: async ({ body: { channelIds, tag, edit }, context }) => {
      const wanted = channelIds ?? (await deps.reads.channels({})).rows.filter(hasTag(tag ?? '')).map(({ channelId }) => channelId);
      const edited = await editChannels(deps, wanted, edit, context(PLATFORM));
      return {
        position: lastOf(edited.map(({ position }) => position)),
        rows: edited.map(({ channelId, refusal }) => ({
          channelId,
          ok: refusal === null,
          code: refusal?.refused ?? null,
          message: refusal?.message ?? null,
        })),
      };
    },
    exportChannels: async () => ({
      format: 'oblivious-channels',
      version: 1,
      channels: (await deps.reads.channels({})).rows.map(({ settings }) => ({ settings })),
    }),
    importChannels: async ({ body: { channels }, context }) => {
      const names = new Set((await deps.reads.channels({})).rows.map(({ settings }) => settings.name));
      const whole = context(PLATFORM);
      const rows: { name: string; channelId: ChannelId | null; code: ErrorCode | null; message: string | null }[] = [];
      const positions: (bigint | null)[] = [];
      for (const [index, { settings, secrets }] of channels.entries()) {
        const { name } = settings;
        if (names.has(name)) {
          rows.push({ name, channelId: null, code: 'already_exists', message: 'A channel of this name is there already.' });
          continue;
        }
        names.add(name);
        const commandId = CommandId.parse(`${whole.commandId}/${index}`);
        const added = await addChannel(deps, { settings, secrets }, { ...whole, commandId });
        rows.push(
          isRefusal(added)
            ? { name, channelId: null, code: added.refused, message: added.message }
            : { name, channelId: added.channelId, code: null, message: null },
        );
        if (!isRefusal(added)) positions.push(added.position);
      }
      return { position: lastOf(positions), rows };
    },
    copyChannel: async ({ params, body, context }) => {
      const copied = await copyChannel(deps, { ...params, ...body }, context(PLATFORM));
      return isRefusal(copied) ? copied : { channelId: copied.channelId, position: positionText(copied.position) };
    },
    discoverModels: async ({ params, context }) => {
      const found = await discoverModels(deps, params.channelId, context(PLATFORM));
      if (isRefusal(found)) return found;
      const { models, missing, gone, position } = found;
      return { models: [...models], missing: [...missing], gone: [...gone], position: positionText(position) };
    },
    askBalance: async ({ params }) => askBalance(deps, params.channelId),
    applyModels: async ({ params, body, context }) => doneAt(await applyModels(deps, { ...params, ...body }, context(PLATFORM))),
    enableChannel: (call) => run(call, { kind: 'enable' }),
    disableChannel: (call) => run(call, { kind: 'disable', by: 'operator', reason: call.body.reason ?? '' }),
  };
};
