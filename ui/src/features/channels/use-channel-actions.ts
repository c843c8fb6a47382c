import { useI18n } from 'vue-i18n';
import {
  disableChannel,
  enableChannel,
  exportChannels,
  removeChannel,
  testChannel,
  type Channel,
  type TestResult,
} from '../../api/channels.ts';
import { downloadText } from '../../lib/download-text.ts';
import { toastDone, toastTrouble } from '../../parts/toasts.ts';
import { useAction, type Action } from '../../parts/use-action.ts';
import { useFormat } from '../../parts/use-format.ts';
import { useTrouble } from '../../parts/use-trouble.ts';

export interface ChannelActions {
  readonly test: Action<[Channel, string | undefined]>;
  readonly enable: Action<[Channel]>;
  readonly disable: Action<[Channel]>;
  readonly remove: Action<[Channel]>;
  /** Hands all of them to the reader as a file, without their keys. */
  readonly exportAll: Action<[]>;
}

export const useChannelActions = (): ChannelActions => {
  const { t } = useI18n();
  const format = useFormat();
  const { tell } = useTrouble();
  const touches = [['channels']];
  const of = ({ channelId }: Channel): string => channelId;
  const report = (result: TestResult, channel: Channel): void => {
    const words = { name: channel.settings.name, model: result.model, time: format.value.duration(result.latencyMs) };
    if (result.ok) toastDone(t('channels.test.ok', words));
    else toastTrouble(t('channels.test.bad', words), result.message);
  };
  const named = (channel: Channel): { name: string } => ({ name: channel.settings.name });
  return {
    test: useAction({
      perform: (channel: Channel, model: string | undefined) => testChannel(channel.channelId, model),
      touches,
      of,
      done: (result, channel) => report(result, channel),
      failed: (error) => tell(t('channels.failed.test'), error),
    }),
    enable: useAction({
      perform: (channel: Channel) => enableChannel(channel.channelId, channel.revision),
      touches,
      of,
      done: (_, channel) => toastDone(t('channels.enabled', named(channel))),
      failed: (error) => tell(t('channels.failed.enable'), error),
    }),
    disable: useAction({
      perform: (channel: Channel) => disableChannel(channel.channelId, channel.revision),
      touches,
      of,
      done: (_, channel) => toastDone(t('channels.disabled', named(channel))),
      failed: (error) => tell(t('channels.failed.disable'), error),
    }),
    exportAll: useAction({
      perform: () => exportChannels(),
      touches: [],
      done: (file) => {
        const { length } = file.channels;
        downloadText(`channels-${new Date().toISOString().slice(0, 10)}.json`, `${JSON.stringify(file, null, 2)}\n`, 'application/json');
        toastDone(t('channels.file.exported', { count: format.value.count(length) }, length));
      },
      failed: (error) => tell(t('channels.failed.export'), error),
    }),
    remove: useAction({
      perform: (channel: Channel) => removeChannel(channel.channelId, channel.revision),
      touches,
      done: (_, channel) => toastDone(t('channels.removed', named(channel))),
    }),
  };
};
