import { keepableJson } from '../../domain/kernel/keepable-json.ts';

/** A value as a parameter that the database reads as JSON: whatever texts are in it, it takes them. */
export const jsonParameter = (value: unknown): string => keepableJson(JSON.stringify(value));
