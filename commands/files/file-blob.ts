import type { FileId } from '../../schemas/ids.ts';

/** The content of a file, among all that is kept. */
export const fileBlob = (fileId: FileId): string => `file:${fileId}`;
