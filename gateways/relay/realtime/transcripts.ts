import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { mayUseModel } from '../authenticate.ts';
import type { Route } from '../route.ts';
import { HEARD_TOKENS_PER_SECOND, NOTHING_SAID } from './conversation.ts';
import { MoneyAhead, type Ahead, type Need, type Release } from './money-ahead.ts';
import { RunningResponse } from './running-response.ts';
import type { SessionParties } from './session-parties.ts';
import type { Settling } from './settling.ts';
import { transcriptReading } from './transcript-usage.ts';

/** Nobody speaks more than four tokens a second. */
const WRITTEN_TOKENS_PER_SECOND = 4;

/** What is written of what the client says, by a model that has a price and holds of its own. */
export class Transcripts {
  readonly #parties: SessionParties;
  readonly #settling: Settling;
  readonly #onLost: (refusal: Refusal) => void;
  #writer: { readonly model: string; readonly money: MoneyAhead } | null = null;
  /** Of sound that no transcript has come of. */
  #unwrittenTokens = 0;

  /** `onLost`: a hold that was kept is not on record and never will be. */
  constructor(parties: SessionParties, settling: Settling, onLost: (refusal: Refusal) => void) {
    this.#parties = parties;
    this.#settling = settling;
    this.#onLost = onLost;
  }

  /** A model's price on the way of the session's own. */
  routeOf(model: string): Route | Refusal {
    const { deps, caller, route } = this.#parties;
    if (model === route.model) return route;
    if (!mayUseModel(caller, model))
      return refuse('model_not_allowed', `This API key may not use the model "${model.slice(0, 200)}".`, { param: 'model' });
    const listed = deps.directory.price(model);
    if (listed === undefined)
      return refuse('model_without_price', `The model "${model.slice(0, 200)}" has no price, so that its transcripts cannot be charged.`, {
        param: 'model',
      });
    return { ...route, ...listed, model };
  }

  /** Sound that is going to be written down. Waits only where a hold has to be taken. */
  hear(transcriber: string, audioTokens: number): null | Promise<Refusal | null> {
    this.#unwrittenTokens += audioTokens;
    return this.#moneyOf(transcriber).secure(1, this.need);
  }

  get need(): Need {
    const tokens = this.#unwrittenTokens;
    return {
      promptTokens: tokens,
      outputTokens: Math.ceil((tokens * WRITTEN_TOKENS_PER_SECOND) / HEARD_TOKENS_PER_SECOND),
      seconds: Math.ceil(tokens / HEARD_TOKENS_PER_SECOND),
    };
  }

  /** Where the hold of a transcript that came is. `agreed`: who was to write it, if nothing has been heard that should be written. */
  moneyOfComing(agreed: string | null): MoneyAhead {
    return this.#moneyOf(this.#writer?.model ?? agreed ?? this.#parties.route.model);
  }

  /** Charges a transcript. Resolves once that is on record, or with why it will not be. */
  async charge(ahead: Ahead, event: Readonly<Record<string, unknown>>, spokenBytesPerSecond: number): Promise<Refusal | null> {
    const audioTokens = this.#unwrittenTokens;
    this.#unwrittenTokens = 0;
    const running = new RunningResponse(this.#parties, ahead, NOTHING_SAID, { audioInput: audioTokens }, true);
    const { transcript, usage } = event;
    if (typeof transcript === 'string') running.meter.keep(transcript);
    const reading = transcriptReading(usage, ahead.route.price, audioTokens);
    const unrecorded = await ahead.hold.durable;
    if (unrecorded === null) return this.#settling.add(running.charge(reading, 'answered', 200, spokenBytesPerSecond));
    running.unrecorded(unrecorded);
    return unrecorded;
  }

  /** Gives back what no transcript took. */
  async end(reason: Release): Promise<void> {
    await this.#writer?.money.end(0, reason);
  }

  #moneyOf(model: string): MoneyAhead {
    if (this.#writer?.model === model) return this.#writer.money;
    const { deps, call, caller } = this.#parties;
    const former = this.#writer?.money;
    if (former !== undefined) void this.#settling.add(former.end(0, 'client_left'));
    const money = new MoneyAhead(deps, call, caller, () => this.routeOf(model));
    money.onLost = this.#onLost;
    this.#writer = { model, money };
    return money;
  }
}
