import type { KeyStatus } from '../../api/keys.ts';
import type { Tone } from '../../ui/tone.ts';

export const KEY_TABS = ['active', 'disabled', 'exhausted', 'expired', 'revoked', 'all'] as const;
export const KEY_TONE: Readonly<Record<KeyStatus, Tone>> = {
  active: 'ok',
  disabled: 'neutral',
  exhausted: 'warn',
  expired: 'warn',
  revoked: 'bad',
};
