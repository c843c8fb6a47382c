import { z } from 'zod';

/** What a process can be for. A role that has to be alone (the projector, the bridge) is held by one process at a time; the others stand by. */
export const ROLES = ['relay', 'console', 'projector', 'bridge', 'worker', 'sweeper'] as const;
export type Role = (typeof ROLES)[number];

/** Roles that answer callers; every other one works in the background. */
export const SERVING_ROLES: readonly Role[] = ['relay', 'console'];

const isRole = (name: string): name is Role => (ROLES as readonly string[]).includes(name);

/** `all`, or names with commas between them; in the order of {@link ROLES}, each once. */
export const rolesSchema = z.string().transform((text, context): readonly Role[] => {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => name !== 'all' && !isRole(name));
  if (unknown.length > 0) {
    context.addIssue(
      `expected all, or some of ${ROLES.join(', ')} with commas between them, not ${unknown.map((name) => `“${name}”`).join(', ')}`,
    );
    return z.NEVER;
  }
  return names.includes('all') ? ROLES : ROLES.filter((role) => names.includes(role));
});
