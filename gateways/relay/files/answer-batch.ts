import type { BatchDocument } from '../../../projections/batches/tables.ts';
import { refuse } from '../../../schemas/errors.ts';
import { sendBody, sendJson, sendRefusal } from '../answer.ts';
import type { Call } from '../call.ts';
import type { RelayDeps } from '../relay-deps.ts';
import type { FileDesk, SeenBatch } from './file-desk.ts';
import type { Created } from './hand-in-batch.ts';

type Json = Readonly<Record<string, unknown>>;

/** A batch in the words of one kind of clients. */
export interface BatchWords {
  /** As its upstream tells it, with our ids. */
  readonly told: (call: Call, said: Json) => Json;
  /** As it is known here, for where its upstream says nothing. */
  readonly known: (call: Call, batch: SeenBatch) => Json;
}

/** How a batch stands by its own events, as lists have it. */
export const standingOf = ({
  started,
  ended,
}: SeenBatch): Pick<BatchDocument, 'state' | 'outputFileId' | 'errorFileId' | 'succeeded' | 'failed' | 'endedAt'> => ({
  state: ended?.status ?? (started === null ? 'submitted' : 'started'),
  outputFileId: ended?.outputFileId ?? null,
  errorFileId: ended?.errorFileId ?? null,
  succeeded: ended?.succeeded ?? 0,
  failed: ended?.failed ?? 0,
  endedAt: ended?.at ?? null,
});

/** What is owed is settled behind the answer, which does not wait for it; what fails here is done by whoever looks next. */
export const settleSoon = (files: FileDesk, batch: SeenBatch): void => {
  if (batch.ended !== null && batch.settled === null) void files.settle(batch).catch(() => undefined);
};

/** A batch as it stands now, or as it does once it was asked to stop. */
export const batchSeen = async (
  words: BatchWords,
  files: FileDesk,
  call: Call,
  batch: SeenBatch,
  question: 'see' | 'cancel',
): Promise<Json> => {
  const { said, batch: now } = await files.look(batch, question);
  settleSoon(files, now);
  return said === null ? words.known(call, now) : words.told(call, said);
};

/** Creates a batch and says so. `create` is `null` for a client that has left. */
export const answerCreated = async (
  { inFlight }: Pick<RelayDeps, 'inFlight'>,
  words: BatchWords,
  files: FileDesk,
  call: Call,
  create: () => Promise<Created | null>,
): Promise<void> => {
  if (!inFlight.admitting) return sendRefusal(call, refuse('shutting_down', undefined, { retryAfterSeconds: 1 }));
  inFlight.add(call);
  try {
    const created = await create();
    switch (created?.kind) {
      case undefined:
        return;
      case 'refused':
        return sendRefusal(call, created.refusal);
      case 'passed':
        call.errorCode = 'upstream_refused';
        return sendBody(call, created.status, 'application/json', created.body);
      case 'known':
        return sendJson(call, 200, await batchSeen(words, files, call, created.batch, 'see'));
      case 'created':
        return sendJson(call, 200, words.told(call, created.said));
    }
  } finally {
    inFlight.delete(call);
  }
};
