import { KeysUnavailable } from '../../commands/responses/archive-unavailable.ts';
import type { ContentVault } from '../../commands/ports/content-vault.ts';
import { contentVault } from '../../infra/content-keys/content-vault.ts';
import type { KeyGroup } from '../../infra/content-keys/content-keys.ts';
import { masterKeyOf } from '../../infra/crypto/master-key.ts';
import { secretBox } from '../../infra/crypto/secret-box.ts';

export interface MemoryVault {
  readonly vault: ContentVault;
  /** How many keys there are. */
  size(): number;
  /** From now on the keys cannot be reached, until it is mended. */
  cut(): void;
  mend(): void;
}

/** A vault whose keys live and die with the test. */
export const memoryVault = (now: () => number = Date.now): MemoryVault => {
  const keys = new Map<string, KeyGroup & { readonly sealedKey: string }>();
  let isCut = false;
  const reached = async (): Promise<void> => {
    if (isCut) throw new KeysUnavailable(new Error('cut'));
  };
  const removeWhere = (gone: (key: KeyGroup) => boolean): void => {
    for (const [contentId, key] of keys) if (gone(key)) keys.delete(contentId);
  };
  const vault = contentVault(
    {
      put: async (made, group) => {
        await reached();
        for (const { contentId, sealedKey } of made) {
          if (keys.has(contentId)) throw new Error(`${contentId} has a key`);
          keys.set(contentId, { ...group, sealedKey });
        }
      },
      get: async (contentIds) => {
        await reached();
        return new Map(contentIds.flatMap((id) => (keys.has(id) ? [[id, keys.get(id)?.sealedKey ?? '']] : [])));
      },
      remove: async (contentId) => {
        await reached();
        keys.delete(contentId);
      },
      removeGroup: async (group) => {
        await reached();
        removeWhere((key) => key.group === group);
      },
      removeExpired: async (moment) => removeWhere(({ expiresAt }) => expiresAt <= moment),
      close: async () => undefined,
    },
    secretBox(masterKeyOf(Buffer.alloc(32, 1))),
    { now },
  );
  return {
    vault,
    size: () => keys.size,
    cut: () => {
      isCut = true;
    },
    mend: () => {
      isCut = false;
    },
  };
};
