import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { Frame } from '../../ports/frame-sockets.ts';
import { decodedBytes, itemSaid, NOTHING_SAID, soundSaid } from './conversation.ts';
import { POLICY, type Closing } from './ending.ts';
import { memberLength, parsedEvent, readClientEvent, withModel } from './frames.ts';
import { modelLimitOf, needOf, type SessionParts } from './session-parts.ts';
import { isRenamed } from './session-parties.ts';
import { isRecord, maxOutputOf, termsOf } from './session-terms.ts';

/** Events that neither begin a response nor are heard by one. */
const HARMLESS: ReadonlySet<string> = new Set([
  'response.cancel',
  'input_audio_buffer.clear',
  'output_audio_buffer.clear',
  'conversation.item.delete',
  'conversation.item.retrieve',
  'conversation.item.truncate',
]);

/** What the client says: nothing that can begin a response goes to the upstream without a hold. */
export class ClientEvents {
  readonly #parts: SessionParts;
  readonly #closing: Closing;

  constructor(parts: SessionParts, closing: Closing) {
    this.#parts = parts;
    this.#closing = closing;
  }

  /** Passes one on. A promise where that has to wait. */
  pass(frame: Frame): Promise<void> | void {
    const { deps, upstream, conversation, terms } = this.#parts;
    const event = readClientEvent(frame, deps.limits);
    if (isRefusal(event)) return this.#closing.tell(event);
    const { type, eventId } = event;
    if (type !== null && HARMLESS.has(type)) return upstream.send(frame);
    switch (type) {
      case 'response.create':
        return this.#askResponse(frame, eventId);
      case 'session.update':
      case 'transcription_session.update':
        return this.#update(frame, eventId);
      case 'conversation.item.create':
        conversation.add(itemSaid(parsedEvent(frame)?.['item'], frame.data.length, terms.bytesPerSecond));
        return upstream.send(frame);
      case 'input_audio_buffer.append':
        return this.#listen(frame, eventId, decodedBytes(memberLength(frame, 'audio')));
      case 'input_audio_buffer.commit':
        return this.#listen(frame, eventId, 0);
      case null:
        return this.#listen(frame, eventId, frame.data.length);
      default:
        // Who knows what it begins.
        conversation.add({ ...NOTHING_SAID, textBytes: frame.data.length });
        return this.#guarded(frame, eventId, this.#secureAnother());
    }
  }

  /** Money for those that were asked for, and for one more. */
  #secureAnother(need = needOf(this.#parts)): null | Promise<Refusal | null> {
    const { money, asked } = this.#parts;
    return money.secure(asked.count + 1, need);
  }

  /** Passes a frame on once its money is there. */
  #guarded(frame: Frame, eventId: string | null, securing: null | Promise<Refusal | null>, then?: () => void): Promise<void> | void {
    const { upstream } = this.#parts;
    if (securing === null) {
      then?.();
      return upstream.send(frame);
    }
    return securing.then((refusal) => {
      if (this.#closing.isOver()) return;
      if (refusal !== null) return this.#unaffordable(refusal, eventId);
      then?.();
      upstream.send(frame);
    });
  }

  /** A limit may be met again later; money that is gone ends the session. */
  #unaffordable(refusal: Refusal, eventId: string | null): void {
    if (refusal.refused === 'rate_limited' || refusal.refused === 'too_many_in_flight') this.#closing.tell(refusal, eventId);
    else this.#closing.refuse(refusal, POLICY, eventId);
  }

  #askResponse(frame: Frame, eventId: string | null): Promise<void> | void {
    const { route, conversation, terms, asked } = this.#parts;
    if (this.#closing.isLeaving()) return this.#closing.tell(refuse('shutting_down', 'The session is about to end.'), eventId);
    const said = parsedEvent(frame)?.['response'];
    const response = isRecord(said) ? said : {};
    const model = response['model'];
    if (model !== undefined && model !== route.model)
      return this.#closing.tell(refuse('invalid_request', 'A session keeps its model.', { param: 'response.model' }), eventId);
    conversation.add({ ...NOTHING_SAID, textBytes: frame.data.length });
    const modelLimit = modelLimitOf(route);
    const most = maxOutputOf(response);
    const outputTokens = most === undefined ? terms.maxOutput(modelLimit) : Math.min(most ?? modelLimit, modelLimit);
    const need = { ...needOf(this.#parts), outputTokens: Math.max(outputTokens, asked.mostOutput) };
    return this.#guarded(frame, eventId, this.#secureAnother(need), () => asked.ask(eventId, outputTokens));
  }

  #update(frame: Frame, eventId: string | null): Promise<void> | void {
    const { route, served, upstream, transcripts, terms, conversation } = this.#parts;
    if (terms.isFull)
      return this.#closing.tell(refuse('rate_limited', 'Too many updates of the session are unanswered; open another session.'), eventId);
    const session = parsedEvent(frame)?.['session'];
    const model = isRecord(session) ? session['model'] : undefined;
    if (model !== undefined && model !== route.model)
      return this.#closing.tell(refuse('invalid_request', 'A session keeps its model.', { param: 'session.model' }), eventId);
    const { transcriber } = termsOf(session);
    if (transcriber !== undefined && transcriber !== null) {
      const priced = transcripts.routeOf(transcriber);
      if (isRefusal(priced)) return this.#closing.tell(priced, eventId);
    }
    terms.asked(session);
    conversation.add({ ...NOTHING_SAID, textBytes: frame.data.length });
    upstream.send(model === undefined || !isRenamed(this.#parts) ? frame : withModel(frame, served.upstreamModel));
  }

  /** Sound: of a response where the upstream answers by itself, and of a transcript where somebody writes. */
  #listen(frame: Frame, eventId: string | null, bytes: number): Promise<void> | void {
    if (this.#closing.isLeaving()) return;
    const { terms, conversation, transcripts, upstream } = this.#parts;
    const said = soundSaid(bytes, terms.bytesPerSecond);
    conversation.add(said);
    const { transcriber } = terms;
    const securing: Promise<Refusal | null>[] = [];
    if (transcriber !== null) {
      const writing = transcripts.hear(transcriber, said.audioTokens);
      if (writing !== null) securing.push(writing);
    }
    if (terms.answersByItself) {
      const answering = this.#secureAnother();
      if (answering !== null) securing.push(answering);
    }
    if (securing.length === 0) return upstream.send(frame);
    return this.#guarded(
      frame,
      eventId,
      Promise.all(securing).then((refusals) => refusals.find((refusal) => refusal !== null) ?? null),
    );
  }
}
