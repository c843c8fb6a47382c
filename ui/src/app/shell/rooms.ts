import { Bell, Clapperboard, Download, Gauge, KeyRound, ReceiptText, ScrollText, Split, Timer, Users, Waypoints } from '@lucide/vue';
import type { Component } from 'vue';

export interface Room {
  /** Route name, and key of its name under `shell.nav`. */
  readonly name: string;
  readonly icon: Component;
  /** The second key after `g`. */
  readonly key: string;
  readonly admin?: true;
}

export const ROOMS: readonly Room[] = [
  { name: 'overview', icon: Gauge, key: 'o' },
  { name: 'keys', icon: KeyRound, key: 'k' },
  { name: 'requests', icon: ScrollText, key: 'r' },
  { name: 'tasks', icon: Clapperboard, key: 't' },
  { name: 'ledger', icon: ReceiptText, key: 'l' },
  { name: 'exports', icon: Download, key: 'e' },
  { name: 'notifications', icon: Bell, key: 'n' },
  { name: 'channels', icon: Waypoints, key: 'c', admin: true },
  { name: 'users', icon: Users, key: 'u', admin: true },
  { name: 'routing', icon: Split, key: 'w', admin: true },
  { name: 'limits', icon: Timer, key: 'i', admin: true },
];
