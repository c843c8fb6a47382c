import { readRealtimeUsage } from '../../../domain/pricing/realtime-usage.ts';
import { refuse } from '../../../schemas/errors.ts';
import type { Frame } from '../../ports/frame-sockets.ts';
import { INTERNAL, POLICY, type Closing } from './ending.ts';
import { parsedEvent, readUpstreamEvent, withModel } from './frames.ts';
import { RunningResponse } from './running-response.ts';
import { needOf, type SessionParts } from './session-parts.ts';
import { isRenamed } from './session-parties.ts';
import { isRecord } from './session-terms.ts';

/** The response that an event is about. */
const responseOf = (frame: Frame): { readonly id: string; readonly said: Readonly<Record<string, unknown>> } => {
  const said = parsedEvent(frame)?.['response'];
  const response = isRecord(said) ? said : {};
  return { id: typeof response['id'] === 'string' ? response['id'] : '', said: response };
};

/** What the upstream says: no `response.done` goes to the client before its charge is on record. */
export class UpstreamEvents {
  readonly #parts: SessionParts;
  readonly #closing: Closing;

  constructor(parts: SessionParts, closing: Closing) {
    this.#parts = parts;
    this.#closing = closing;
  }

  /** Passes one on. A promise where that has to wait. */
  pass(frame: Frame): Promise<void> | void {
    const { client, running, terms, asked, route } = this.#parts;
    const event = readUpstreamEvent(frame);
    if (event === null) return client.send(frame);
    const { type, responseId } = event;
    if (responseId !== null) running.get(responseId)?.note(frame, event);
    switch (type) {
      case 'response.created':
        return this.#began(frame);
      case 'response.done':
        return this.#done(frame);
      case 'conversation.item.input_audio_transcription.completed':
        return this.#transcribed(frame);
      case 'session.created':
      case 'session.updated':
      case 'transcription_session.updated': {
        terms.confirmed(parsedEvent(frame)?.['session'], type !== 'session.created');
        return client.send(isRenamed(this.#parts) ? withModel(frame, route.model) : frame);
      }
      case 'error':
        asked.answered(parsedEvent(frame)?.['error']);
        return client.send(frame);
      default:
        return client.send(frame);
    }
  }

  async #began(frame: Frame): Promise<void> {
    const { id, said } = responseOf(frame);
    const response = await this.#start(id, said['conversation_id'] === null);
    if (response === null) return;
    // Nothing of it reaches the client before its money is on record.
    const refusal = await response.ahead.hold.durable;
    if (this.#closing.isOver()) return;
    if (refusal === null) return this.#parts.client.send(frame);
    this.#parts.running.delete(id);
    response.unrecorded(refusal);
    this.#closing.refuse(refusal, INTERNAL);
  }

  /** A response has begun, whoever asked for it: it takes a hold. */
  async #start(id: string, isBeside: boolean): Promise<RunningResponse | null> {
    const { running, asked, money, call, conversation } = this.#parts;
    const known = running.get(id);
    if (known !== undefined) return known;
    asked.begun();
    let ahead = money.take();
    if (ahead === null) {
      const refusal = await money.secure(1, needOf(this.#parts));
      if (this.#closing.isOver()) return null;
      ahead = money.take();
      if (ahead === null) {
        call.detail = 'a response began at the upstream that no money could be set aside for';
        this.#closing.refuse(refusal ?? refuse('insufficient_quota'), POLICY);
        return null;
      }
    }
    const response = new RunningResponse(this.#parts, ahead, conversation.since, conversation.likely, isBeside);
    running.set(id, response);
    return response;
  }

  async #done(frame: Frame): Promise<void> {
    const { running, terms, settling, conversation, client, money, asked } = this.#parts;
    const { id, said } = responseOf(frame);
    const response = await this.#start(id, said['conversation_id'] === null);
    if (response === null) return;
    running.delete(id);
    const reading = readRealtimeUsage(said['usage']);
    const status = said['status'];
    const outcome = status === 'failed' ? 'failed' : 'answered';
    const nothing = reading.kind === 'absent' && status !== 'completed' && response.meter.isSilent;
    const refusal = await settling.add(
      nothing ? response.release('upstream_failed', outcome, 200) : response.charge(reading, outcome, 200, terms.spokenBytesPerSecond),
    );
    if (this.#closing.isOver()) return;
    if (refusal !== null) return this.#closing.refuse(refusal, INTERNAL);
    if (reading.kind === 'reported') conversation.charged(reading.usage, response.heard, response.isBeside);
    client.send(frame);
    if (this.#closing.leftIdle()) return;
    const next = await money.secure(asked.count + 1, needOf(this.#parts));
    if (next !== null && !this.#closing.isOver() && next.refused !== 'rate_limited') this.#closing.refuse(next, POLICY);
  }

  async #transcribed(frame: Frame): Promise<void> {
    const { terms, transcripts, client } = this.#parts;
    const money = transcripts.moneyOfComing(terms.transcriber);
    let ahead = money.take();
    if (ahead === null) {
      const refusal = await money.secure(1, transcripts.need);
      if (this.#closing.isOver()) return;
      ahead = money.take();
      if (ahead === null) return this.#closing.refuse(refusal ?? refuse('insufficient_quota'), POLICY);
    }
    const refusal = await transcripts.charge(ahead, parsedEvent(frame) ?? {}, terms.spokenBytesPerSecond);
    if (this.#closing.isOver()) return;
    if (refusal !== null) return this.#closing.refuse(refusal, INTERNAL);
    client.send(frame);
  }
}
