import { groupRatios, groupRatiosStream } from '../../domain/pricing/group-ratios.ts';
import { priceListOf, priceListStream } from '../../domain/pricing/price-list.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import { PriceListId } from '../../schemas/ids.ts';
import type { ModelPrice, Ratio } from '../../schemas/price.ts';
import type { Instant } from '../../schemas/time.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandLog } from '../command-log.ts';
import { derivedId } from '../derived-id.ts';
import { runCommand } from '../run-command.ts';

export interface PublishPriceList {
  readonly title: string;
  /** At once unless given. */
  readonly effectiveFrom?: Instant;
  /** The day on which the figures were right, and where they come from. */
  readonly asOf: string;
  readonly source: string;
  readonly models: readonly ModelPrice[];
}

/** A price list never changes: other prices are another list. */
export const publishPriceList = async (
  deps: CommandLog,
  command: PublishPriceList,
  context: CommandContext,
): Promise<{ readonly priceListId: PriceListId; readonly position: Position | null } | Refusal> => {
  const priceListId = PriceListId.parse(derivedId('prl', context.commandId));
  const published = await runCommand(
    deps.log,
    deps.appender,
    priceListStream(priceListId),
    priceListOf(priceListId),
    { kind: 'publish', ...command, effectiveFrom: command.effectiveFrom ?? context.occurredAt },
    context,
  );
  return isRefusal(published) ? published : { priceListId, position: published.position };
};

export const withdrawPriceList = (
  deps: CommandLog,
  command: { readonly priceListId: PriceListId; readonly reason: string },
  context: CommandContext,
): Promise<{ readonly position: Position | null } | Refusal> =>
  runCommand(
    deps.log,
    deps.appender,
    priceListStream(command.priceListId),
    priceListOf(command.priceListId),
    { kind: 'withdraw', reason: command.reason },
    context,
  );

export const setGroupRatio = (
  deps: CommandLog,
  command: { readonly group: string; readonly ratio: Ratio },
  context: CommandContext,
): Promise<{ readonly position: Position | null } | Refusal> =>
  runCommand(deps.log, deps.appender, groupRatiosStream, groupRatios, { kind: 'setRatio', ...command }, context);
