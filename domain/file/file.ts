import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { EventOf, FileEvent } from '../../schemas/events/catalogue.ts';
import type { FileId, StreamName } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const fileStream = (fileId: FileId): StreamName => streamName('file', fileId);

type Upload = EventOf<'FileUploaded'>['data'];
type Kept = EventOf<'FileKept'>['data'];

export interface StoredFile {
  /** It lies at an upstream; `null`: it does not. */
  readonly upload: Upload | null;
  /** It is kept here; `null`: it is not. */
  readonly kept: Kept | null;
  readonly deleted: boolean;
}

const initial: StoredFile = { upload: null, kept: null, deleted: false };

const evolve = (state: StoredFile, event: FileEvent): StoredFile => {
  switch (event.type) {
    case 'FileUploaded':
      return { upload: event.data, kept: null, deleted: false };
    case 'FileKept':
      return { upload: null, kept: event.data, deleted: false };
    case 'FileDeleted':
      return { ...state, deleted: true };
  }
};

/** `at`: ISO 8601. */
export type FileCommand =
  | { readonly kind: 'upload'; readonly upload: Upload }
  | { readonly kind: 'keep'; readonly kept: Kept }
  | { readonly kind: 'delete'; readonly at: string };

const decide = (command: FileCommand, { upload, kept, deleted }: StoredFile, fileId: FileId): readonly FileEvent[] | Refusal => {
  const known = upload ?? kept;
  switch (command.kind) {
    case 'upload':
      return known === null ? [{ type: 'FileUploaded', data: command.upload }] : [];
    case 'keep':
      return known === null ? [{ type: 'FileKept', data: command.kept }] : [];
    case 'delete':
      if (known === null) return refuse('not_found', 'There is no such file.');
      return deleted ? [] : [{ type: 'FileDeleted', data: { fileId, userId: known.userId, at: command.at } }];
  }
};

/** A file that lies at an upstream or is kept here, and whose it is. */
export const fileOf = (fileId: FileId): Decider<StoredFile, FileCommand, FileEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, fileId),
});
