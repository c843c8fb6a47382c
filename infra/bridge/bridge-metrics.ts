import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Position } from '../../schemas/event-envelope.ts';

const SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

/** What the bridge tells of itself. */
export interface BridgeObserver {
  /** Whether this process is the one that hands events on, with Kafka reached. */
  acting(acts: boolean): void;
  published(events: number, seconds: number): void;
  failed(reason: string): void;
  /** How far it is and how far behind. `null`: not known, because another process acts. */
  behind(lag: BridgeLag | null): void;
}

export interface BridgeLag {
  readonly position: Position;
  /** Positions between the last event of the log and the last one handed on. */
  readonly positions: bigint;
  /** Age of the oldest event not handed on. */
  readonly seconds: number;
}

/** Puts on record how the bridge does. */
export const bridgeMetrics = (registry: Registry): BridgeObserver => {
  const registers = [registry];
  const active = new Gauge({
    registers,
    name: 'oblivious_bridge_active',
    help: '1 where events are handed on to Kafka; one process of all should have it.',
  });
  const events = new Counter({ registers, name: 'oblivious_bridge_events_total', help: 'Events handed on to Kafka.' });
  const seconds = new Histogram({
    registers,
    name: 'oblivious_bridge_publish_seconds',
    help: 'How long a batch took to be committed in Kafka.',
    buckets: SECONDS,
  });
  const failures = new Counter({
    registers,
    name: 'oblivious_bridge_failures_total',
    help: 'Times that handing on was broken off and begun again.',
    labelNames: ['reason'],
  });
  const position = new Gauge({ registers, name: 'oblivious_bridge_position', help: 'Position of the last event handed on.' });
  const lagPositions = new Gauge({
    registers,
    name: 'oblivious_bridge_lag_positions',
    help: 'Positions between the end of the log and the last event handed on: events in PostgreSQL, bytes in EventStoreDB.',
  });
  const lagSeconds = new Gauge({
    registers,
    name: 'oblivious_bridge_lag_seconds',
    help: 'Age of the oldest event not handed on.',
  });
  return {
    acting: (acts) => active.set(acts ? 1 : 0),
    published: (count, took) => {
      events.inc(count);
      seconds.observe(took);
    },
    failed: (reason) => failures.inc({ reason }),
    behind: (lag) => {
      position.set(lag === null ? 0 : Number(lag.position));
      lagPositions.set(lag === null ? 0 : Number(lag.positions));
      lagSeconds.set(lag?.seconds ?? 0);
    },
  };
};
