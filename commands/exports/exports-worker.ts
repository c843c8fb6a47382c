import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { exportFileName, exportOf, exportStream, type Export } from '../../domain/export/export.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { ExportId } from '../../schemas/ids.ts';
import type { CommandLog } from '../command-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { ExportSource } from '../ports/export-source.ts';
import type { ExportStore } from '../ports/export-store.ts';
import { readState } from '../read-state.ts';
import { workerOf, type AnyWorker, type WorkContext } from '../workers/worker.ts';
import { runExportCommand } from './run-export-command.ts';

export interface ExportsDeps extends CommandLog {
  readonly source: ExportSource;
  readonly store: ExportStore;
  readonly clock: Clock;
  /** How long a file is kept. */
  readonly keepMs: number;
}

/** How often a file that is being written is held against a cancellation. */
const LOOK_MS = 1_000;

class ExportStopped extends Error {}

/** Writes the files of exports, and removes them when they are cancelled or have expired. */
export const exportsWorker = (deps: ExportsDeps): AnyWorker => {
  const { log, source, store, clock, keepMs } = deps;
  const stateOf = (exportId: ExportId): Promise<Export> => readState(log, exportStream(exportId), exportOf(exportId));
  const isWanted = ({ state }: Export): boolean => state === 'requested' || state === 'failed';

  const write = async (
    asked: EventOf<'ExportRequested'>['data'],
    position: Position,
    { signal, progress }: WorkContext,
  ): Promise<{ readonly rows: number; readonly bytes: number; readonly sha256: string }> => {
    let rows = 0;
    let bytes = 0;
    const digest = createHash('sha256');
    async function* texts(): AsyncGenerator<string> {
      let lookedAt = clock.now();
      for await (const page of source.pages(asked, position)) {
        signal.throwIfAborted();
        yield page.text;
        rows += page.rows;
        progress(rows, null);
        if (clock.now() - lookedAt < LOOK_MS) continue;
        lookedAt = clock.now();
        if (!isWanted(await stateOf(asked.exportId))) throw new ExportStopped('the export is no longer wanted');
      }
    }
    async function* packed(): AsyncGenerator<Uint8Array> {
      const text = Readable.from(texts());
      const gzip = createGzip({ level: 6 });
      text.on('error', (error) => gzip.destroy(error));
      for await (const chunk of text.pipe(gzip) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        digest.update(chunk);
        yield chunk;
      }
    }
    await store.write(exportFileName(asked.exportId, asked.format), packed(), signal);
    return { rows, bytes, sha256: digest.digest('hex') };
  };

  const make = async (asked: EventOf<'ExportRequested'>['data'], at: Position, context: WorkContext): Promise<Refusal | null> => {
    const { exportId, format, requestedBy } = asked;
    if (!isWanted(await stateOf(exportId))) return null;
    const position = await source.readyAt(at);
    if (position === null) return refuse('read_model_behind');
    const command = context.command(requestedBy ?? 'platform', `complete:${context.attempt}`);
    try {
      const file = await write(asked, position, context);
      const expiresAt = new Date(clock.now() + keepMs).toISOString();
      const completed = await runExportCommand(
        deps,
        exportId,
        { kind: 'complete', position: position.toString(), ...file, expiresAt },
        command,
      );
      if (!isRefusal(completed)) return null;
      // Cancelled while the last of it was written.
      if (completed.refused !== 'wrong_state') return completed;
      if (!isWanted(await stateOf(exportId))) await removeUnlessKept(exportId);
      return null;
    } catch (error) {
      if (error instanceof ExportStopped || (error instanceof Error && error.cause instanceof ExportStopped)) {
        await store.remove(exportFileName(exportId, format));
        return null;
      }
      throw error;
    }
  };

  const removeUnlessKept = async (exportId: ExportId): Promise<void> => {
    const { state, format } = await stateOf(exportId);
    if (state !== 'completed') await store.remove(exportFileName(exportId, format));
  };

  return workerOf({
    name: 'exports',
    types: ['ExportRequested', 'ExportCancelled', 'ExportExpired'],
    takesLong: true,
    handle: async (event, context) => {
      const { exportId } = event.data;
      if (event.type !== 'ExportRequested') {
        await removeUnlessKept(exportId);
        return null;
      }
      const giveUp = async (reason: string): Promise<void> => {
        if (!context.isLast || context.signal.aborted) return;
        await runExportCommand(deps, exportId, { kind: 'fail', reason }, context.command(event.data.requestedBy ?? 'platform', 'fail'));
      };
      try {
        const refusal = await make(event.data, event.position, context);
        if (refusal !== null) await giveUp(refusal.message);
        return refusal;
      } catch (error) {
        await giveUp(error instanceof Error ? error.message : String(error));
        throw error;
      }
    },
  });
};
