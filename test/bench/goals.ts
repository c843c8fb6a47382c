import type { Measurement } from './load-job.ts';
import type { Results } from './results.ts';

export interface Goal {
  readonly text: string;
  /** `undefined`: not measured in this run. */
  readonly reached: number | undefined;
  readonly unit: string;
  readonly met: boolean | undefined;
}

const OURS = 'oblivious-postgres';
const ratio = (a: number, b: number): number => a / b;
const difference = (a: number, b: number): number => a - b;
const callsPerSecond = (m: Measurement): number => m.callsPerSecond;
const cpu = (m: Measurement): number => m.cpuSecondsPer1000;
const callMs = (m: Measurement): number => m.call.p50Ms;
const firstTokenMs = (m: Measurement): number | undefined => m.firstToken?.p50Ms;

const atLeast = (least: number, unit: string, text: string, reached: number | undefined): Goal => ({
  text,
  reached,
  unit,
  met: reached === undefined ? undefined : reached >= least,
});

const atMost = (most: number, unit: string, text: string, reached: number | undefined): Goal => ({
  text,
  reached,
  unit,
  met: reached === undefined ? undefined : reached <= most,
});

const firstTokenShare = (results: Results): number | undefined => {
  const ours = results.compared('stream-100x10ms-c64', OURS, 'direct', firstTokenMs, difference);
  const portkeys = results.compared('stream-100x10ms-c64', 'portkey', 'direct', firstTokenMs, difference);
  return ours === undefined || portkeys === undefined ? undefined : ours / portkeys;
};

/** What the project holds itself to, with PostgreSQL as the log. */
export const goals = (results: Results): readonly Goal[] => [
  atLeast(
    6,
    '×',
    'plain calls per second at 64 connections: at least 6 × Portkey',
    results.compared('chat-1k-c64', OURS, 'portkey', callsPerSecond, ratio),
  ),
  atMost(0.15, 's', 'CPU of the gateway process per 1 000 plain calls: at most 0.15 s', results.median('chat-1k-c64', OURS, cpu)),
  atMost(
    0.5,
    '×',
    'CPU per chunk of paced streams: at most half of Portkey’s',
    results.compared('stream-100x10ms-c64', OURS, 'portkey', cpu, ratio),
  ),
  atMost(0.2, '×', 'time added to the first token: at most a fifth of Portkey’s', firstTokenShare(results)),
  atMost(
    5,
    'ms',
    'median wait for the charge to be durable at full load from 64 connections: at most 5 ms',
    results.median('chat-1k-c64', OURS, (m) => m.chargeDurable?.p50Ms),
  ),
  atMost(
    5,
    'ms',
    'added to the median of 64 connections with time to spare, by the durable charge and all else: at most 5 ms',
    results.compared('durability-c64', OURS, 'bare-proxy', callMs, difference),
  ),
];
