import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { EventFilter, Position, Revision } from '../../../schemas/event-envelope.ts';

const DIRECTION = { forwards: 0, backwards: 1 } as const;
type Direction = keyof typeof DIRECTION;

const { Options } = streams.ReadReq;
const none = (): InstanceType<typeof shared.Empty> => new shared.Empty();

const baseOptions = (): ReadReq.Options => {
  const options = new Options();
  const uuids = new Options.UUIDOption();
  uuids.setString(none());
  options.setUuidOption(uuids);
  options.setResolveLinks(false);
  options.setNoFilter(none());
  return options;
};

const requestOf = (options: ReadReq.Options): ReadReq => {
  const request = new streams.ReadReq();
  request.setOptions(options);
  return request;
};

const allFrom = (from: Position | 'start' | 'end'): ReadReq.Options.AllOptions => {
  const all = new Options.AllOptions();
  if (from === 'start') all.setStart(none());
  else if (from === 'end') all.setEnd(none());
  else {
    // Only explicit transactions, which nobody uses here, have two positions for one event.
    const position = new Options.Position();
    position.setCommitPosition(from.toString());
    position.setPreparePosition(from.toString());
    all.setPosition(position);
  }
  return all;
};

/** At most `count` events of the whole log: forwards from a place including it, or backwards from before it. */
export const readAllRequest = (from: Position | 'start' | 'end', count: number, direction: Direction): ReadReq => {
  const options = baseOptions();
  options.setAll(allFrom(from));
  options.setCount(count.toString());
  options.setReadDirection(DIRECTION[direction]);
  return requestOf(options);
};

/** At most `count` events of one stream, from a revision (or its end) including it. */
export const readStreamRequest = (stream: string, from: Revision | 'end', count: number, direction: Direction): ReadReq => {
  const options = baseOptions();
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream));
  const of = new Options.StreamOptions();
  of.setStreamIdentifier(identifier);
  if (from === 'end') of.setEnd(none());
  else of.setRevision(from.toString());
  options.setStream(of);
  options.setCount(count.toString());
  options.setReadDirection(DIRECTION[direction]);
  return requestOf(options);
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** How many events the server looks at in one go, and so the least there are between two of its checkpoints. */
const SEARCH_WINDOW = 512;

/**
 * Follows the whole log after a place. The server can filter by types or by stream names, not by both: with both given it is the types,
 * which are fewer. Never the events of the store itself, whose types begin with a dollar sign.
 */
export const subscribeRequest = (after: Position | 'start', filter: EventFilter | undefined): ReadReq => {
  const options = baseOptions();
  options.setAll(allFrom(after));
  options.setSubscription(new Options.SubscriptionOptions());
  const expression = new Options.FilterOptions.Expression();
  const filtered = new Options.FilterOptions();
  if (filter?.types === undefined && filter?.categories !== undefined) {
    expression.setPrefixList(filter.categories.map((category) => `${category}-`));
    filtered.setStreamIdentifier(expression);
  } else {
    // A prefix would take longer types with the same beginning too.
    expression.setRegex(filter?.types === undefined ? '^[^$]' : `^(${filter.types.map(escaped).join('|')})$`);
    filtered.setEventType(expression);
  }
  filtered.setMax(SEARCH_WINDOW);
  filtered.setCheckpointintervalmultiplier(1);
  options.setFilter(filtered);
  return requestOf(options);
};
