import { FileDesk, type FileDeskDeps } from '../../gateways/relay/files/file-desk.ts';
import { listBatches, unsettledBatches } from '../../projections/batches/queries.ts';
import { channelById } from '../../projections/channels/queries.ts';
import { keptBytes, listFiles } from '../../projections/files/queries.ts';
import type { Sql } from '../../projections/ports/read-model-database.ts';

export interface OpenFileDeskOptions extends Omit<FileDeskDeps, 'channels' | 'lists'> {
  readonly database: Sql;
}

/** What is done about files and batches, by what the read models know of them and of the channels that have them. */
export const openFileDesk = ({ database, ...deps }: OpenFileDeskOptions): FileDesk =>
  new FileDesk({
    ...deps,
    channels: {
      find: async (channelId) => {
        const channel = await channelById(database, channelId);
        return channel === null || channel.removed ? null : channel;
      },
    },
    lists: {
      files: (tokenId, page) => listFiles(database, tokenId, page),
      keptBytes: (userId) => keptBytes(database, userId),
      batches: (tokenId, page) => listBatches(database, tokenId, page),
      unsettled: (limit) => unsettledBatches(database, limit),
    },
  });
