import type { EventFeed } from '../ports/event-feed.ts';
import type { ProjectingRight, RunTransaction } from '../ports/read-model-database.ts';
import { contradictionWithLog } from './against-log.ts';
import { CheckpointMoved, ensureLiveTables, readCheckpoints } from './checkpoint.ts';
import { dropReadModels, ENGINE_HISTORY } from './engine-schema.ts';
import { takeBack } from './handing-over.ts';
import type { Member } from './member.ts';
import { migrate } from './migrations.ts';
import { blockedStreams } from './parked-events.ts';
import { KnownPartitions } from './partitions.ts';
import type { Projection } from './projection.ts';
import type { ProjectorReport } from './projector-report.ts';
import { dropSupersededVersions } from './superseded-versions.ts';

export interface Preparation {
  readonly feed: EventFeed;
  readonly projections: readonly Projection[];
  readonly right: ProjectingRight | undefined;
  readonly report: (report: ProjectorReport) => void;
}

/** Makes tables and checkpoints, and the proof that they belong to this log; where they cannot, they are made anew. */
export const prepareMembers = async (transaction: RunTransaction, preparation: Preparation): Promise<Member[]> => {
  const { feed, projections, right, report } = preparation;
  await makeTables(transaction, projections);
  if (right !== 'until_handed_over') await takeAllBack(transaction, preparation);
  const contradiction = await transaction((tx) => contradictionWithLog(tx, feed, projections), { snapshot: true, patient: true });
  if (contradiction !== null) {
    report({ kind: 'reset', reason: contradiction });
    await transaction(dropReadModels, { patient: true });
    await makeTables(transaction, projections);
  }
  return readMembers(transaction, projections);
};

const makeTables = (transaction: RunTransaction, projections: readonly Projection[]): Promise<void> =>
  transaction(
    async (tx) => {
      await migrate(tx, ENGINE_HISTORY);
      await dropSupersededVersions(tx, projections);
      await ensureLiveTables(tx, projections);
    },
    { patient: true },
  );

/** Nobody reads from Kafka for these any more, or not yet. */
const takeAllBack = async (transaction: RunTransaction, { feed, projections, report }: Preparation): Promise<void> => {
  for (const projection of projections) {
    const poison = await transaction((tx) => takeBack(tx, feed, projection), { patient: true });
    if (poison === null) continue;
    report({ kind: 'taken_back', projections: [projection.name] });
    for (const found of poison) report({ kind: 'parked', poison: found });
  }
};

const readMembers = (transaction: RunTransaction, projections: readonly Projection[]): Promise<Member[]> =>
  transaction(async (tx) => {
    const checkpoints = await readCheckpoints(tx);
    const members: Member[] = [];
    for (const projection of projections) {
      const checkpoint = checkpoints.find(
        ({ projection: name, version, build }) => build === 'live' && name === projection.name && version === projection.version,
      );
      if (checkpoint === undefined || checkpoint.handedOver !== null) throw new CheckpointMoved([projection.name]);
      members.push({
        projection,
        partitions: new KnownPartitions(projection, 'live'),
        position: checkpoint.position,
        epoch: checkpoint.epoch,
        blocked: await blockedStreams(tx, projection),
      });
    }
    return members;
  });
