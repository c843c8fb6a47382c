import type { UserEvent } from '../../schemas/events/catalogue.ts';
import { userEvents } from '../../schemas/events/user.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { UserDocument, USERS } from './tables.ts';

type UserEventType = UserEvent['type'];

const evolve = (doc: UserDocument | undefined, event: ProjectedEvent<UserEventType>): UserDocument | undefined => {
  const { type, data, revision } = event;
  if (type === 'Registered') {
    const { userId, email, displayName, role, group } = data;
    return {
      userId,
      email,
      displayName,
      role,
      group,
      suspended: false,
      suspendedReason: null,
      passwordHash: null,
      credentialsRevision: null,
      createdAt: event.occurredAt,
      revision,
    };
  }
  if (doc === undefined) return undefined;
  switch (type) {
    case 'ProfileChanged':
      return { ...doc, email: data.email, displayName: data.displayName, revision };
    case 'RoleAssigned':
      return { ...doc, role: data.role, revision };
    case 'GroupAssigned':
      return { ...doc, group: data.group, revision };
    case 'CredentialsChanged':
      return { ...doc, passwordHash: data.passwordHash, credentialsRevision: revision, revision };
    case 'Suspended':
      return { ...doc, suspended: true, suspendedReason: data.reason, revision };
    case 'Reinstated':
      return { ...doc, suspended: false, suspendedReason: null, revision };
  }
};

/** People: who they are, what they may do, and how they prove it. */
export const users = documentProjection({
  ...USERS,
  types: Object.keys(userEvents) as readonly UserEventType[],
  schema: UserDocument,
  indexes: [`(lower(doc->>'email'))`],
  keyOf: ({ data }) => data.userId,
  evolve,
});
