import { decodeEvent, isKnownType } from '../../domain/kernel/event-codec.ts';
import { upcast } from '../../domain/upcasters/upcast.ts';
import type { JsonValue, RecordedEvent } from '../../schemas/event-envelope.ts';
import type { DomainEvent, LeaseEvent } from '../../schemas/events/catalogue.ts';
import { leaseEvents } from '../../schemas/events/lease.ts';
import { projectedEvent, type ProjectedEvent } from './projected-event.ts';

/** Fields of lease events that hold money. */
const LEASE_MONEY: { readonly [Type in LeaseEvent['type']]: readonly string[] } = {
  LeaseOpened: ['amount'],
  QuotaReserved: ['amount'],
  QuotaDebited: ['amount', 'computed', 'upstreamCost'],
  QuotaReleased: [],
  LeaseExtended: [],
  LeaseClosed: ['spent'],
};

const isLeaseType = (type: string): type is LeaseEvent['type'] => Object.hasOwn(leaseEvents, type);

/**
 * The few events that every call makes are not checked against their schema again: the check costs more than all the
 * projections of such an event together. What is wrong in one of them fails as a statement instead.
 */
const decodeTrusted = (type: LeaseEvent['type'], schemaVersion: number, stored: RecordedEvent['data']): DomainEvent => {
  const data: Record<string, JsonValue | bigint | undefined> = { ...upcast(type, schemaVersion, stored) };
  for (const field of LEASE_MONEY[type]) data[field] = BigInt(data[field] as string);
  return { type, data } as unknown as DomainEvent;
};

/** `unknown`: written by a newer program, and none of our business. `undecodable`: a fault in the event, or in us. */
export type Decoding =
  | { readonly outcome: 'decoded'; readonly event: ProjectedEvent }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'undecodable'; readonly error: Error };

export const decodeForProjection = (recorded: RecordedEvent): Decoding => {
  const { type, schemaVersion, data } = recorded;
  if (!isKnownType(type)) return { outcome: 'unknown' };
  try {
    return {
      outcome: 'decoded',
      event: projectedEvent(recorded, isLeaseType(type) ? decodeTrusted(type, schemaVersion, data) : decodeEvent(recorded)),
    };
  } catch (error) {
    return { outcome: 'undecodable', error: error instanceof Error ? error : new Error(String(error)) };
  }
};
