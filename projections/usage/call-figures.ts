import type { Position } from '../../schemas/event-envelope.ts';
import type { EventType } from '../../schemas/events/catalogue.ts';
import { USAGE_CLASSES, type UsageClass } from '../../schemas/usage.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { usageColumn } from './usage-columns.ts';

/** The events that end a call. */
export const CALL_ENDS = ['QuotaDebited', 'QuotaReleased'] as const satisfies readonly EventType[];

export type CallEnd = ProjectedEvent<(typeof CALL_ENDS)[number]>;

/** Calls with one key in common, added up. */
interface Figures {
  calls: number;
  failed: number;
  first_byte_ms: number;
  first_bytes: number;
  duration_ms: number;
  amount: bigint;
  upstream_cost: bigint;
  /** By class, in the order of `USAGE_CLASSES`. */
  readonly quantities: number[];
  position: Position;
}

const CLASS_INDEX = Object.fromEntries(USAGE_CLASSES.map((usageClass, index) => [usageClass, index])) as Readonly<
  Record<UsageClass, number>
>;
const USAGE_COLUMNS = USAGE_CLASSES.map(usageColumn);

/** The channel that answered, or that was tried last; empty when none was. */
const channelOf = (event: CallEnd): string =>
  event.type === 'QuotaDebited' ? event.data.channelId : (event.data.call?.attempts.at(-1)?.channelId ?? '');

/** When the call began, or ended with its holder. */
export const momentOf = ({ data, occurredAt }: CallEnd): string => data.call?.startedAt ?? occurredAt;

/** As the request log has it: a call without a status ended with its holder. */
const hasFailed = ({ data }: CallEnd): boolean => (data.call?.status ?? 599) >= 400;

const add = (figures: Figures, event: CallEnd): void => {
  const { call } = event.data;
  figures.calls += 1;
  if (hasFailed(event)) figures.failed += 1;
  if (call !== undefined && call.firstByteMs !== null) {
    figures.first_byte_ms += call.firstByteMs;
    figures.first_bytes += 1;
  }
  figures.duration_ms += call?.durationMs ?? 0;
  if (event.type === 'QuotaDebited') {
    figures.amount += event.data.amount;
    figures.upstream_cost += event.data.upstreamCost;
    for (const usageClass in event.data.usage) {
      const index = CLASS_INDEX[usageClass as UsageClass];
      figures.quantities[index] = (figures.quantities[index] ?? 0) + (event.data.usage[usageClass as UsageClass] ?? 0);
    }
  }
  figures.position = event.position;
};

const toRow = ({ quantities, amount, upstream_cost, position, ...counts }: Figures): object => {
  const row: Record<string, unknown> = {
    ...counts,
    amount: amount.toString(),
    upstream_cost: upstream_cost.toString(),
    position: position.toString(),
  };
  for (const [index, column] of USAGE_COLUMNS.entries()) row[column] = quantities[index];
  return row;
};

/**
 * One row per group of calls, as JSON, with the columns of its key beside the figures. `partOf` tells apart what user, key, model
 * and channel do not; `columnsOf` gives it its columns.
 */
export const figuresByKey = (
  events: readonly CallEnd[],
  partOf: (event: CallEnd) => string,
  columnsOf: (event: CallEnd) => Readonly<Record<string, string>>,
): string => {
  const groups = new Map<string, { readonly key: Readonly<Record<string, string>>; readonly figures: Figures }>();
  for (const event of events) {
    const { userId, tokenId, model } = event.data;
    const channelId = channelOf(event);
    const id = `${partOf(event)}\n${userId}\n${tokenId}\n${channelId}\n${model}`;
    let group = groups.get(id);
    if (group === undefined) {
      group = {
        key: { ...columnsOf(event), user_id: userId, token_id: tokenId, model, channel_id: channelId },
        figures: {
          calls: 0,
          failed: 0,
          first_byte_ms: 0,
          first_bytes: 0,
          duration_ms: 0,
          amount: 0n,
          upstream_cost: 0n,
          quantities: USAGE_CLASSES.map(() => 0),
          position: event.position,
        },
      };
      groups.set(id, group);
    }
    add(group.figures, event);
  }
  return JSON.stringify([...groups.values()].map(({ key, figures }) => ({ ...key, ...toRow(figures) })));
};
