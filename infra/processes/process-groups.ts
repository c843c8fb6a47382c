import { SERVING_ROLES, type Role } from '../../schemas/roles.ts';

/** Processes that do the same. */
export interface ProcessGroup {
  readonly roles: readonly Role[];
  readonly processes: number;
}

/**
 * Who does what when one machine runs several processes: as many as were asked for answer callers, and one, which has no part in that,
 * does the rest. It comes first: the others may wait for what it makes.
 */
export const processGroups = (roles: readonly Role[], processes: number): readonly ProcessGroup[] => {
  const serving = roles.filter((role) => SERVING_ROLES.includes(role));
  const background = roles.filter((role) => !SERVING_ROLES.includes(role));
  return [
    ...(background.length > 0 ? [{ roles: background, processes: 1 }] : []),
    ...(serving.length > 0 ? [{ roles: serving, processes }] : []),
  ];
};
