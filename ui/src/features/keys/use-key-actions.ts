import { useI18n } from 'vue-i18n';
import { disableKey, enableKey, readKey, restoreKey, revokeKey, type Key } from '../../api/keys.ts';
import { toastDone } from '../../parts/toasts.ts';
import { useAction, type Action } from '../../parts/use-action.ts';
import { useTrouble } from '../../parts/use-trouble.ts';

export interface KeyActions {
  readonly disable: Action<[Key]>;
  readonly enable: Action<[Key]>;
  readonly restore: Action<[Key]>;
  readonly revoke: Action<[Key]>;
}

/** What can be done to a key, each with its words. A revocation can be taken back from the message that reports it. */
export const useKeyActions = (): KeyActions => {
  const { t } = useI18n();
  const { tell } = useTrouble();
  const touches = [['keys']];
  const of = ({ tokenId }: Key): string => tokenId;
  const disable = useAction({
    perform: (key: Key) => disableKey(key.tokenId, key.revision),
    touches,
    of,
    done: (_, key) => toastDone(t('keys.disabled', { name: key.name })),
    failed: (error) => tell(t('keys.failed.disable'), error),
  });
  const enable = useAction({
    perform: (key: Key) => enableKey(key.tokenId, key.revision),
    touches,
    of,
    done: (_, key) => toastDone(t('keys.enabled', { name: key.name })),
    failed: (error) => tell(t('keys.failed.enable'), error),
  });
  const restore = useAction({
    // The revision is read anew: the one at hand may be from before the revocation that is taken back.
    perform: async (key: Key) => restoreKey(key.tokenId, (await readKey(key.tokenId)).revision),
    touches,
    of,
    done: (_, key) => toastDone(t('keys.restored', { name: key.name })),
    failed: (error) => tell(t('keys.failed.restore'), error),
  });
  const revoke = useAction({
    perform: (key: Key) => revokeKey(key.tokenId, '', key.revision),
    touches,
    of,
    done: (_, key) =>
      toastDone(t('keys.revoked', { name: key.name }), {
        detail: t('keys.revokedDetail'),
        action: { label: t('keys.undo'), run: () => void restore.run(key) },
      }),
  });
  return { disable, enable, restore, revoke };
};
