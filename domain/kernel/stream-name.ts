import { StreamName } from '../../schemas/ids.ts';

/** `{category}-{id}`. */
export const streamName = (category: string, id: string): StreamName => StreamName.parse(`${category}-${id}`);

/** What lies before the first hyphen. */
export const categoryOf = (stream: string): string => stream.slice(0, stream.indexOf('-'));
