import type { UserId } from '../../schemas/ids.ts';

/** What a sealed password hash is bound to: in another user's events it does not open. */
export const passwordContext = (userId: UserId): string => `password:${userId}`;
