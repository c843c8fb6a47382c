import { INSTANT_MODEL, SLOW_MODEL } from './mock-models.ts';
import { TARGETS } from './target.ts';
import type { TargetName } from './target.ts';

export interface Scenario {
  readonly name: ScenarioName;
  readonly about: string;
  readonly model: string;
  readonly streamed: boolean;
  readonly connections: number;
  readonly targets: readonly TargetName[];
  readonly rounds: number;
  /** Load before the first round, until just-in-time compilation has settled. */
  readonly prewarmMs: number;
  /** Load before each window. */
  readonly warmupMs: number;
  readonly windowMs: number;
}

export const SCENARIOS = ['chat-1k-c64', 'chat-1k-c1', 'chat-1k-c256', 'stream-100x10ms-c64', 'durability-c64'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

const plain = { model: INSTANT_MODEL, streamed: false, targets: TARGETS };

/** In the order in which they are run. */
export const scenarios: readonly Scenario[] = [
  {
    ...plain,
    name: 'chat-1k-c64',
    about: 'plain answers to 1 KB prompts from an upstream that answers at once, 64 connections',
    connections: 64,
    rounds: 5,
    // Portkey takes this long: its CPU per call in the first seconds is three times what it settles at.
    prewarmMs: 8_000,
    warmupMs: 1_200,
    windowMs: 2_000,
  },
  {
    ...plain,
    name: 'chat-1k-c1',
    about: 'the same on one connection: what a single call takes',
    connections: 1,
    rounds: 3,
    prewarmMs: 1_000,
    warmupMs: 500,
    windowMs: 1_500,
  },
  {
    ...plain,
    name: 'chat-1k-c256',
    about: 'the same on 256 connections',
    connections: 256,
    rounds: 3,
    prewarmMs: 1_000,
    warmupMs: 1_200,
    windowMs: 2_000,
  },
  {
    ...plain,
    name: 'stream-100x10ms-c64',
    about: 'streams of 100 chunks 10 ms apart, 64 connections, starts spread',
    streamed: true,
    connections: 64,
    rounds: 4,
    // Sixty streams a second: what is done once a stream is compiled only after hundreds of them.
    prewarmMs: 8_000,
    warmupMs: 1_500,
    windowMs: 3_000,
  },
  {
    ...plain,
    name: 'durability-c64',
    about: 'plain answers that take the upstream 30 ms, 64 connections: everybody has time to spare, so that waiting shows',
    model: SLOW_MODEL,
    connections: 64,
    targets: ['direct', 'bare-proxy', 'oblivious-postgres', 'oblivious-embedded'],
    rounds: 4,
    prewarmMs: 1_000,
    warmupMs: 600,
    windowMs: 1_500,
  },
];

const QUICK: readonly ScenarioName[] = ['chat-1k-c64', 'stream-100x10ms-c64', 'durability-c64'];

/** A minute and a half in all: two rounds of what the goals are about. The figures are rough, and Portkey's look worse than they are. */
export const quickScenarios = (): Scenario[] =>
  scenarios
    .filter(({ name }) => QUICK.includes(name))
    .map((scenario) => ({
      ...scenario,
      rounds: 2,
      prewarmMs: scenario.prewarmMs / 4,
      warmupMs: scenario.streamed ? 1_000 : scenario.warmupMs / 2,
      windowMs: scenario.windowMs / 2,
    }));
