import type { RouteLocationRaw } from 'vue-router';

export interface Command {
  readonly id: string;
  readonly label: string;
  /** More words that find it. */
  readonly also?: string;
  readonly keys?: string;
  readonly run: () => void;
}

interface IdTarget {
  readonly pattern: RegExp;
  readonly room: string;
  readonly admin?: true;
}

const TARGETS: readonly IdTarget[] = [
  { pattern: /^req_[\w-]{1,64}$/, room: 'requests' },
  { pattern: /^task_[\w-]{1,64}$/, room: 'tasks' },
  { pattern: /^key_[\w-]{1,64}$/, room: 'keys' },
  { pattern: /^chn_[\w-]{1,64}$/, room: 'channels', admin: true },
  { pattern: /^usr_[\w-]{1,64}$/, room: 'users', admin: true },
];

/** Where an id that was pasted leads, or `null` when it is none of ours. */
export const placeOfId = (text: string, isAdmin: boolean): RouteLocationRaw | null => {
  const id = text.trim();
  const target = TARGETS.find((each) => each.pattern.test(id) && (each.admin !== true || isAdmin));
  return target === undefined ? null : { name: target.room, query: { peek: id } };
};

/** Every word typed must begin a word of the command, in any order. For Han text, which has no spaces, must occur. */
export const matches = (command: Pick<Command, 'label' | 'also'>, typed: string): boolean => {
  const words = `${command.label} ${command.also ?? ''}`.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .filter((part) => part !== '')
    .every((part) => (/^[\x20-\x7e]+$/.test(part) ? words.split(/[\s/-]+/).some((word) => word.startsWith(part)) : words.includes(part)));
};
