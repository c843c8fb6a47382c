import type { RelayLimits } from '../relay-limits.ts';

export type Side = 'client' | 'upstream';

/** What can be seen of the sockets. */
export interface Sight {
  /** Who is not read at the moment. */
  readonly unread: Readonly<Record<Side, boolean>>;
  /** What the client was sent and has not gone out. */
  readonly unsentBytes: number;
}

/**
 * What time has brought. A `quiet` peer may be asked whether it lives; a `silent` one does not; a client that leaves what it is sent
 * `unread` is gone; a session that is `over` ends as soon as nothing runs.
 */
export type Due =
  | { readonly kind: 'quiet' | 'silent'; readonly side: Side }
  | { readonly kind: 'unread' }
  | { readonly kind: 'over'; readonly reason: string };

interface Pulse {
  heardAt: number;
  isAsked: boolean;
}

/** The time limits of a session: on peers that are silent or leave what they are sent unread, and on the session itself. Times are the stopwatch's. */
export class SessionTimes {
  readonly #limits: Pick<RelayLimits, 'realtime' | 'unreadMs'>;
  readonly #begun: number;
  readonly #pulses: Readonly<Record<Side, Pulse>>;
  #lastFrame: number;
  #unreadSince: number | null = null;

  constructor(limits: Pick<RelayLimits, 'realtime' | 'unreadMs'>, now: number) {
    this.#limits = limits;
    this.#begun = now;
    this.#lastFrame = now;
    this.#pulses = { client: { heardAt: now, isAsked: false }, upstream: { heardAt: now, isAsked: false } };
  }

  /** Somebody has said something. */
  framed(now: number): void {
    this.#lastFrame = now;
  }

  /** A peer lives: it spoke or answered a ping. */
  heard(side: Side, now: number): void {
    const pulse = this.#pulses[side];
    pulse.heardAt = now;
    pulse.isAsked = false;
  }

  /** In the order in which it is to be acted on. Where a peer is silent nothing else is looked at. */
  check(now: number, { unread, unsentBytes }: Sight): readonly Due[] {
    const { pingMs, idleMs, sessionMs, unsentBytes: mostUnsent } = this.#limits.realtime;
    const due: Due[] = [];
    for (const side of ['client', 'upstream'] as const) {
      const pulse = this.#pulses[side];
      // Whoever is not read cannot be heard.
      if (unread[side]) pulse.heardAt = now;
      const silence = now - pulse.heardAt;
      if (silence > 2 * pingMs) return [...due, { kind: 'silent', side }];
      if (silence > pingMs && !pulse.isAsked) {
        pulse.isAsked = true;
        due.push({ kind: 'quiet', side });
      }
    }
    if (unsentBytes <= mostUnsent) this.#unreadSince = null;
    else this.#unreadSince ??= now;
    if (this.#unreadSince !== null && now - this.#unreadSince > this.#limits.unreadMs) due.push({ kind: 'unread' });
    if (now - this.#begun > sessionMs) due.push({ kind: 'over', reason: 'the session has lasted for as long as one may' });
    else if (now - this.#lastFrame > idleMs) due.push({ kind: 'over', reason: 'nobody said anything' });
    return due;
  }
}
