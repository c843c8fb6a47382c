import { isUtf8 } from 'node:buffer';
import { errorTable, isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { Frame } from '../../ports/frame-sockets.ts';
import { weighJson } from '../bodies/json-weight.ts';
import { scanObject, splice, type Span } from '../json-spans.ts';
import type { RelayLimits } from '../relay-limits.ts';
import { isRecord } from './session-terms.ts';

/** An event of a client's: `null` for bytes that are no event at all but sound. */
export interface ClientEvent {
  readonly type: string | null;
  readonly eventId: string | null;
}

const OPEN_BRACE = 0x7b;

const textAt = (bytes: Buffer, span: Span | null): string | null => {
  if (span === null) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8', span.start, span.end));
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
};

const looksLikeJson = ({ data, isBinary }: Frame): boolean => {
  if (!isBinary) return true;
  for (let at = 0; at < data.length && at < 64; at++) {
    const byte = data[at] as number;
    if (byte === OPEN_BRACE) return true;
    if (byte > 0x20) return false;
  }
  return false;
};

/** What kind of event it is, read in a way that every parser reads it: what is paid for must be what the upstream does. */
export const readClientEvent = (frame: Frame, limits: Pick<RelayLimits, 'jsonDepth' | 'jsonMembers'>): ClientEvent | Refusal => {
  const { data } = frame;
  if (!looksLikeJson(frame)) return { type: null, eventId: null };
  const weight = weighJson(data);
  if (isRefusal(weight)) return weight;
  const scan = scanObject(data, ['type', 'event_id'], { strict: { depth: limits.jsonDepth, members: limits.jsonMembers } });
  const [typeAt = null, idAt = null] = scan.spans;
  if (!scan.closed || !isUtf8(data)) return refuse('invalid_json', 'The event is not a JSON object.');
  if (scan.repeated !== null || scan.disguised !== null)
    return refuse('invalid_json', 'The event has a field that is there twice, or whose name differs in the case of its letters only.');
  const type = textAt(data, typeAt);
  if (type === null) return refuse('invalid_request', 'The event has no type.', { param: 'type' });
  return { type, eventId: textAt(data, idAt) };
};

/** An event as a value; `null` where it is none. */
export const parsedEvent = ({ data }: Frame): Readonly<Record<string, unknown>> | null => {
  try {
    const value: unknown = JSON.parse(data.toString('utf8'));
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
};

/** How long the text of a member is, without reading it. */
export const memberLength = ({ data }: Frame, name: string): number => {
  const [span = null] = scanObject(data, [name]).spans;
  return span === null ? 0 : Math.max(0, span.end - span.start - 2);
};

/** What is read of an event of an upstream's. */
export interface UpstreamEvent {
  readonly type: string;
  readonly responseId: string | null;
  readonly delta: Span | null;
}

export const readUpstreamEvent = (frame: Frame): UpstreamEvent | null => {
  if (!looksLikeJson(frame)) return null;
  const [type = null, responseId = null, delta = null] = scanObject(frame.data, ['type', 'response_id', 'delta']).spans;
  const said = textAt(frame.data, type);
  return said === null ? null : { type: said, responseId: textAt(frame.data, responseId), delta };
};

export const deltaText = ({ data }: Frame, { delta }: UpstreamEvent): string => textAt(data, delta) ?? '';

/** The same event with another name for the session's model. */
export const withModel = (frame: Frame, model: string): Frame => {
  const [session = null] = scanObject(frame.data, ['session']).spans;
  if (session === null) return frame;
  const [named = null] = scanObject(frame.data, ['model'], { from: session.start }).spans;
  return named === null ? frame : { ...frame, data: splice(frame.data, [{ ...named, text: JSON.stringify(model) }]) };
};

/** A refusal as the event that clients know. `eventId`: of the client's event that was refused. */
export const errorFrame = ({ refused, message, param }: Refusal, id: string, eventId: string | null = null): Frame => ({
  data: Buffer.from(
    JSON.stringify({
      type: 'error',
      event_id: id,
      error: { type: errorTable[refused].type, code: refused, message, param: param ?? null, event_id: eventId },
    }),
  ),
  isBinary: false,
});
