import type { Position } from '../../schemas/event-envelope.ts';
import type { EventType } from '../../schemas/events/catalogue.ts';
import { USAGE_CLASSES, type UsageClass } from '../../schemas/usage.ts';
import type { Column } from '../engine/columns.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { usageColumn } from './usage-columns.ts';

/** The events that end a call. */
export const CALL_ENDS = ['QuotaDebited', 'QuotaReleased'] as const satisfies readonly EventType[];

export type CallEnd = ProjectedEvent<(typeof CALL_ENDS)[number]>;

/** Calls of one part, key, model and channel, added up. */
export interface CallFigures {
  /** What tells apart what user, key, model and channel do not. */
  readonly part: string;
  readonly userId: string;
  readonly tokenId: string;
  readonly model: string;
  readonly channelId: string;
  calls: number;
  failed: number;
  firstByteMs: number;
  firstBytes: number;
  durationMs: number;
  amount: bigint;
  upstreamCost: bigint;
  /** By class, in the order of `USAGE_CLASSES`. */
  readonly quantities: number[];
  position: Position;
}

const CLASS_INDEX = Object.fromEntries(USAGE_CLASSES.map((usageClass, index) => [usageClass, index])) as Readonly<
  Record<UsageClass, number>
>;

/** The channel that answered, or that was tried last; empty when none was. */
const channelOf = (event: CallEnd): string =>
  event.type === 'QuotaDebited' ? event.data.channelId : (event.data.call?.attempts.at(-1)?.channelId ?? '');

/** When the call began, or ended with its holder. */
export const momentOf = (event: CallEnd): string => event.data.call?.startedAt ?? event.occurredAt;

/** As the request log has it: a call without a status ended with its holder. */
const hasFailed = ({ data }: CallEnd): boolean => (data.call?.status ?? 599) >= 400;

const add = (figures: CallFigures, event: CallEnd): void => {
  const { call } = event.data;
  figures.calls += 1;
  if (hasFailed(event)) figures.failed += 1;
  if (call !== undefined) {
    if (call.firstByteMs !== null) {
      figures.firstByteMs += call.firstByteMs;
      figures.firstBytes += 1;
    }
    figures.durationMs += call.durationMs;
  }
  if (event.type === 'QuotaDebited') {
    figures.amount += event.data.amount;
    figures.upstreamCost += event.data.upstreamCost;
    for (const usageClass in event.data.usage) {
      const index = CLASS_INDEX[usageClass as UsageClass];
      figures.quantities[index] = (figures.quantities[index] ?? 0) + (event.data.usage[usageClass as UsageClass] ?? 0);
    }
  }
  figures.position = event.position;
};

/** Columns of {@link CallFigures}: `part` under the name of its own, the others under those of the tables. Sums of money are text. */
export const figureColumns = (part: Pick<Column<CallFigures>, 'name' | 'type'>): readonly Column<CallFigures>[] => [
  { ...part, of: (figures) => figures.part },
  { name: 'user_id', type: 'text', of: ({ userId }) => userId },
  { name: 'token_id', type: 'text', of: ({ tokenId }) => tokenId },
  { name: 'model', type: 'text', of: ({ model }) => model },
  { name: 'channel_id', type: 'text', of: ({ channelId }) => channelId },
  { name: 'calls', type: 'int8', of: ({ calls }) => calls },
  { name: 'failed', type: 'int8', of: ({ failed }) => failed },
  { name: 'first_byte_ms', type: 'int8', of: ({ firstByteMs }) => firstByteMs },
  { name: 'first_bytes', type: 'int8', of: ({ firstBytes }) => firstBytes },
  { name: 'duration_ms', type: 'int8', of: ({ durationMs }) => durationMs },
  { name: 'amount', type: 'text', of: ({ amount }) => amount.toString() },
  { name: 'upstream_cost', type: 'text', of: ({ upstreamCost }) => upstreamCost.toString() },
  ...USAGE_CLASSES.map((usageClass, index): Column<CallFigures> => ({
    name: usageColumn(usageClass),
    type: 'int8',
    of: ({ quantities }) => quantities[index],
  })),
  { name: 'position', type: 'int8', of: ({ position }) => position },
];

/** The figures of each group of calls. `partOf` tells apart what user, key, model and channel do not. */
export class GatheredFigures {
  readonly #partOf: (event: CallEnd) => string;
  readonly #all: CallFigures[] = [];
  // A key has one user. Few groups share key and part, so that they are soonest found one by one.
  readonly #byKey = new Map<string, Map<string, CallFigures[]>>();

  constructor(partOf: (event: CallEnd) => string) {
    this.#partOf = partOf;
  }

  get all(): readonly CallFigures[] {
    return this.#all;
  }

  add(event: CallEnd): void {
    const { userId, tokenId, model } = event.data;
    const channelId = channelOf(event);
    const part = this.#partOf(event);
    let byPart = this.#byKey.get(tokenId);
    if (byPart === undefined) {
      byPart = new Map();
      this.#byKey.set(tokenId, byPart);
    }
    let groups = byPart.get(part);
    if (groups === undefined) {
      groups = [];
      byPart.set(part, groups);
    }
    let figures = groups.find((group) => group.model === model && group.channelId === channelId);
    if (figures === undefined) {
      figures = {
        part,
        userId,
        tokenId,
        model,
        channelId,
        calls: 0,
        failed: 0,
        firstByteMs: 0,
        firstBytes: 0,
        durationMs: 0,
        amount: 0n,
        upstreamCost: 0n,
        quantities: USAGE_CLASSES.map(() => 0),
        position: event.position,
      };
      groups.push(figures);
      this.#all.push(figures);
    }
    add(figures, event);
  }
}
