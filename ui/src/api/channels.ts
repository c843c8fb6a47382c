import type { ModelMapping, ProviderId } from '../../../schemas/events/channel.ts';
import type {
  AddChannel,
  ApplyModels,
  BalanceTold,
  ChangeChannel,
  ChannelAdded,
  ChannelKeyAdded,
  ChannelKeyView,
  ChannelList,
  ChannelTested,
  ChannelView,
  ChannelsEdited,
  ChannelsImported,
  EditChannels,
  ExportedChannels,
  ModelsDiscovered,
} from '../../../schemas/http/channels.ts';
import type { Done, Wire } from '../../../schemas/http/wire.ts';
import { call } from './http.ts';

export type Channel = Wire<typeof ChannelView>;
export type ChannelSettings = Channel['settings'];
export type ChannelKey = Wire<typeof ChannelKeyView>;
export type ChannelProvider = Wire<typeof ProviderId>;
export type Mapping = Wire<typeof ModelMapping>;
export type TestResult = Wire<typeof ChannelTested>;
export type ModelsFound = Wire<typeof ModelsDiscovered>;
export type ChannelsEdit = Wire<typeof EditChannels>['edit'];
export type BulkSubject = Pick<Wire<typeof EditChannels>, 'channelIds' | 'tag'>;
export type EditedChannels = Wire<typeof ChannelsEdited>;
type Accepted = Wire<typeof Done>;

const at = (channelId: string, rest = ''): string => `/channels/${encodeURIComponent(channelId)}${rest}`;
const keyAt = (channelId: string, keyId: string, rest = ''): string => at(channelId, `/keys/${encodeURIComponent(keyId)}${rest}`);

export const listChannels = (signal?: AbortSignal): Promise<Wire<typeof ChannelList>> => call('GET', '/channels', { signal });
export const addChannel = (channel: Wire<typeof AddChannel>): Promise<Wire<typeof ChannelAdded>> =>
  call('POST', '/channels', { body: channel });
export const changeChannel = (channelId: string, change: Wire<typeof ChangeChannel>, revision: number): Promise<Accepted> =>
  call('PUT', at(channelId), { body: change, revision });
export const removeChannel = (channelId: string, revision: number): Promise<Accepted> => call('DELETE', at(channelId), { revision });
export const testChannel = (channelId: string, model?: string): Promise<TestResult> =>
  call('POST', at(channelId, '/test'), { body: model === undefined ? {} : { model } });
export const enableChannel = (channelId: string, revision: number): Promise<Accepted> =>
  call('POST', at(channelId, '/enable'), { revision });
export const disableChannel = (channelId: string, revision: number): Promise<Accepted> =>
  call('POST', at(channelId, '/disable'), { body: {}, revision });
export const addChannelKey = (channelId: string, secret: string): Promise<Wire<typeof ChannelKeyAdded>> =>
  call('POST', at(channelId, '/keys'), { body: { secret } });
export const disableChannelKey = (channelId: string, keyId: string): Promise<Accepted> =>
  call('POST', keyAt(channelId, keyId, '/disable'), { body: {} });
export const restoreChannelKey = (channelId: string, keyId: string): Promise<Accepted> => call('POST', keyAt(channelId, keyId, '/restore'));
export const removeChannelKey = (channelId: string, keyId: string): Promise<Accepted> => call('DELETE', keyAt(channelId, keyId));
export const discoverModels = (channelId: string): Promise<ModelsFound> => call('POST', at(channelId, '/discover'));
export const applyModels = (channelId: string, change: Wire<typeof ApplyModels>): Promise<Accepted> =>
  call('POST', at(channelId, '/models'), { body: change });
export const editChannels = (which: BulkSubject, edit: ChannelsEdit): Promise<EditedChannels> =>
  call('POST', '/channels/edit', { body: { ...which, edit } });
export const askBalance = (channelId: string, signal?: AbortSignal): Promise<Wire<typeof BalanceTold>> =>
  call('POST', at(channelId, '/balance'), { signal });
/** Of the file as somebody has it: what a channel may be is for the server to say. */
export interface ChannelInFile {
  readonly settings: ChannelSettings;
  readonly secrets: readonly string[];
}
export type ImportedChannels = Wire<typeof ChannelsImported>;
export const exportChannels = (): Promise<Wire<typeof ExportedChannels>> => call('GET', '/channels/export');
export const importChannels = (channels: readonly ChannelInFile[]): Promise<ImportedChannels> =>
  call('POST', '/channels/import', { body: { format: 'oblivious-channels', version: 1, channels } });
