import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { FileEvent } from '../../schemas/events/catalogue.ts';
import type { FileId, StreamName } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const fileStream = (fileId: FileId): StreamName => streamName('file', fileId);

type Upload = Extract<FileEvent, { readonly type: 'FileUploaded' }>['data'];

export interface StoredFile {
  /** `null`: there is none. */
  readonly upload: Upload | null;
  readonly deleted: boolean;
}

const initial: StoredFile = { upload: null, deleted: false };

const evolve = (state: StoredFile, event: FileEvent): StoredFile =>
  event.type === 'FileUploaded' ? { upload: event.data, deleted: false } : { ...state, deleted: true };

/** `at`: ISO 8601. */
export type FileCommand = { readonly kind: 'upload'; readonly upload: Upload } | { readonly kind: 'delete'; readonly at: string };

const decide = (command: FileCommand, { upload, deleted }: StoredFile, fileId: FileId): readonly FileEvent[] | Refusal => {
  if (command.kind === 'upload') return upload === null ? [{ type: 'FileUploaded', data: command.upload }] : [];
  if (upload === null) return refuse('not_found', 'There is no such file.');
  return deleted ? [] : [{ type: 'FileDeleted', data: { fileId, userId: upload.userId, at: command.at } }];
};

/** A file that lies at an upstream, and whose it is. */
export const fileOf = (fileId: FileId): Decider<StoredFile, FileCommand, FileEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, fileId),
});
