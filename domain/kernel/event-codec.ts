import type { JsonObject, JsonValue, RecordedEvent } from '../../schemas/event-envelope.ts';
import {
  currentSchemaVersion,
  eventSchemas,
  type DomainEvent,
  type EventOf,
  type EventType,
  type LeaseEvent,
} from '../../schemas/events/catalogue.ts';
import { encodeData } from '../../schemas/events/encode-data.ts';
import { upcast } from '../upcasters/upcast.ts';

export interface EncodedEvent {
  readonly type: EventType;
  readonly schemaVersion: number;
  readonly data: JsonObject;
}

/** The JSON form of an event, money as decimal strings. Throws when the event breaks its own schema: that is a bug of its decider. */
export const encodeEvent = (event: DomainEvent): EncodedEvent => ({
  type: event.type,
  schemaVersion: currentSchemaVersion[event.type],
  data: encodeData(event),
});

/**
 * As {@link encodeEvent}, without the check of the schema, for the events of every call. Right only for events whose money
 * stands at the top level of `data` and whose other fields are JSON already: those of leases.
 */
export const encodeTrusted = (event: LeaseEvent): EncodedEvent => ({
  type: event.type,
  schemaVersion: currentSchemaVersion[event.type],
  data: trustedData(event),
});

/** The two events of every call are written out member by member: objects of one shape are made, and later put into JSON, far faster. */
const trustedData = (event: LeaseEvent): JsonObject => {
  switch (event.type) {
    case 'QuotaReserved': {
      const { leaseId, userId, tokenId, requestId, model, priceListId, amount } = event.data;
      return { leaseId, userId, tokenId, requestId, model, priceListId, amount: amount.toString() };
    }
    case 'QuotaDebited': {
      const { data } = event;
      return {
        leaseId: data.leaseId,
        userId: data.userId,
        tokenId: data.tokenId,
        requestId: data.requestId,
        model: data.model,
        channelId: data.channelId,
        attemptId: data.attemptId,
        priceListId: data.priceListId,
        groupRatio: data.groupRatio,
        usage: data.usage,
        basis: data.basis,
        amount: data.amount.toString(),
        computed: data.computed.toString(),
        upstreamCost: data.upstreamCost.toString(),
        call: data.call,
      };
    }
    default: {
      const data: Record<string, JsonValue | undefined> = {};
      for (const [key, value] of Object.entries(event.data))
        data[key] = typeof value === 'bigint' ? value.toString() : (value as JsonValue);
      return data;
    }
  }
};

export const isKnownType = (type: string): type is EventType => Object.hasOwn(eventSchemas, type);

/** A stored event, upcast to today's shape and parsed. Throws on a type or shape that this version does not know. */
export const decodeEvent = (recorded: Pick<RecordedEvent, 'type' | 'schemaVersion' | 'data'>): DomainEvent => {
  if (!isKnownType(recorded.type)) throw new Error(`unknown event type ${recorded.type}`);
  const data = upcast(recorded.type, recorded.schemaVersion, recorded.data);
  return { type: recorded.type, data: eventSchemas[recorded.type].parse(data) } as DomainEvent;
};

/** As {@link decodeEvent} where the reader knows which types its stream holds. */
export const decodeAs = <Type extends EventType>(recorded: Pick<RecordedEvent, 'type' | 'schemaVersion' | 'data'>): EventOf<Type> =>
  decodeEvent(recorded) as EventOf<Type>;
