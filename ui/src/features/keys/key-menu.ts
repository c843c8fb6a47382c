import type { Key } from '../../api/keys.ts';
import type { MenuItem } from '../../ui/menu-item.ts';

type Doings = Readonly<Record<'open' | 'revoke' | 'enable' | 'disable' | 'restore', () => void>>;

/** What a key's state allows. */
export const keyMenu = (key: Pick<Key, 'status'>, t: (words: string) => string, run: Doings): (MenuItem | 'separator')[] => [
  { label: t('keys.actions.open'), run: run.open },
  ...(key.status === 'disabled' ? [{ label: t('keys.actions.enable'), run: run.enable }] : []),
  ...(key.status === 'active' || key.status === 'exhausted' || key.status === 'expired'
    ? [{ label: t('keys.actions.disable'), run: run.disable }]
    : []),
  ...(key.status === 'revoked' || key.status === 'exhausted' ? [{ label: t('keys.actions.restore'), run: run.restore }] : []),
  ...(key.status === 'revoked' ? [] : (['separator', { label: t('keys.actions.revoke'), run: run.revoke, danger: true }] as const)),
];
