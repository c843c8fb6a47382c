import { channelOf, channelStream } from '../../domain/channel/channel.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position, Revision } from '../../schemas/event-envelope.ts';
import type { ChannelSettings } from '../../schemas/events/channel.ts';
import { ChannelId, type ChannelKeyId } from '../../schemas/ids.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { derivedId } from '../derived-id.ts';
import type { EgressCheck } from '../ports/egress-check.ts';
import type { SecretBox } from '../ports/secret-box.ts';
import { runCommand } from '../run-command.ts';
import { addressChannel, type AddressedSettings } from './address-channel.ts';
import { sealSecrets } from './channel-secrets.ts';

export interface ChannelDeps extends CommandLog {
  readonly egress: EgressCheck;
  readonly secretBox: SecretBox;
}

/** The sandbox is inside this process: its address is no address. */
const addressAtFault = async (egress: EgressCheck, { provider, baseUrl, proxy }: ChannelSettings): Promise<Refusal | null> => {
  if (provider === 'sandbox') return null;
  if (!URL.canParse(baseUrl)) return refuse('invalid_request', 'The base URL is not a URL.', { param: 'settings.baseUrl' });
  const refusal = await egress.check(new URL(baseUrl));
  if (refusal !== null) return { ...refusal, param: 'settings.baseUrl' };
  if (proxy === undefined) return null;
  // The check is of where it leads; what is spoken there makes no difference.
  const plain = proxy.replace(/^socks5:/, 'http:');
  if (!URL.canParse(plain)) return refuse('invalid_request', 'The address of the proxy is none.', { param: 'settings.proxy' });
  const blocked = await egress.check(new URL(plain));
  return blocked === null ? null : { ...blocked, param: 'settings.proxy' };
};

export const addChannel = async (
  deps: ChannelDeps,
  command: {
    readonly settings: AddressedSettings;
    readonly blanks?: Readonly<Record<string, string>>;
    readonly secrets: readonly string[];
  },
  context: CommandContext,
): Promise<{ readonly channelId: ChannelId; readonly position: Position | null } | Refusal> => {
  const settings = addressChannel(command.settings, command.blanks);
  if (isRefusal(settings)) return settings;
  const blocked = await addressAtFault(deps.egress, settings);
  if (blocked !== null) return blocked;
  const channelId = ChannelId.parse(derivedId('chn', context.commandId));
  const added = await runCommand(
    deps.log,
    deps.appender,
    channelStream(channelId),
    channelOf(channelId),
    { kind: 'add', settings, keys: sealSecrets(deps.secretBox, command.secrets, context) },
    context,
  );
  return isRefusal(added) ? added : { channelId, position: added.position };
};

/** New settings; `secrets` replaces every credential, and must be given when the address changes its origin. */
export const changeChannel = async (
  deps: ChannelDeps,
  command: {
    readonly channelId: ChannelId;
    readonly settings: AddressedSettings;
    readonly blanks?: Readonly<Record<string, string>>;
    readonly secrets?: readonly string[];
  },
  context: CommandContext,
  expectedRevision?: Revision,
): Promise<{ readonly position: Position | null } | Refusal> => {
  const { channelId, secrets } = command;
  const settings = addressChannel(command.settings, command.blanks);
  if (isRefusal(settings)) return settings;
  const blocked = await addressAtFault(deps.egress, settings);
  if (blocked !== null) return blocked;
  const keys = secrets === undefined ? {} : { keys: sealSecrets(deps.secretBox, secrets, context) };
  return runCommand(
    deps.log,
    deps.appender,
    channelStream(channelId),
    channelOf(channelId),
    { kind: 'change', settings, ...keys },
    context,
    expectedRevision,
  );
};

export const addChannelKey = async (
  deps: Omit<ChannelDeps, 'egress'>,
  command: { readonly channelId: ChannelId; readonly secret: string },
  context: CommandContext,
): Promise<{ readonly keyId: ChannelKeyId; readonly position: Position | null } | Refusal> => {
  const [key] = sealSecrets(deps.secretBox, [command.secret], context);
  if (key === undefined) throw new Error('one secret makes one key');
  const added = await runCommand(
    deps.log,
    deps.appender,
    channelStream(command.channelId),
    channelOf(command.channelId),
    { kind: 'addKey', key },
    context,
  );
  return isRefusal(added) ? added : { keyId: key.keyId, position: added.position };
};
