import { expect } from 'chai';
import type { Request, Response } from 'express';
import type { RequestLine } from '../../../../gateways/ports/request-logger.ts';
import { Call, type Caller } from '../../../../gateways/relay/call.ts';
import { openaiAnswers } from '../../../../gateways/relay/dialects/openai-answers.ts';
import { DEFAULT_RELAY_LIMITS } from '../../../../gateways/relay/relay-limits.ts';
import type { Ahead } from '../../../../gateways/relay/realtime/money-ahead.ts';
import type { SessionParties } from '../../../../gateways/relay/realtime/session-parties.ts';
import { Settling } from '../../../../gateways/relay/realtime/settling.ts';
import { Transcripts } from '../../../../gateways/relay/realtime/transcripts.ts';
import { isRefusal, refuse, type Refusal } from '../../../../schemas/errors.ts';
import type { RequestId } from '../../../../schemas/ids.ts';
import type { Money } from '../../../../schemas/money.ts';
import type { ModelPrice } from '../../../../schemas/price.ts';
import { RecordingSpending } from '../recording-spending.ts';

const priced = (model: string): ModelPrice => ({ model, kind: 'transcription', rates: { second: 1_000n as Money } });

describe('the transcripts of a session', () => {
  let spending: RecordingSpending;
  let lines: RequestLine[];
  let settling: Settling;
  let transcripts: Transcripts;
  let ids = 0;

  beforeEach(() => {
    spending = new RecordingSpending();
    lines = [];
    settling = new Settling();
    const call = new Call(
      { url: '/v1/realtime' } as Request,
      {} as Response,
      '/v1/realtime',
      openaiAnswers,
      'req_session' as RequestId,
      0,
      0,
    );
    const channel = { channelId: 'chn_1', settings: { costRatio: 1_000_000 } };
    const parties = {
      deps: {
        spending,
        limits: DEFAULT_RELAY_LIMITS,
        gate: { isOpen: true },
        directory: {
          price: (model: string) => (model === 'free' ? undefined : { price: priced(model), priceListId: 'prl_1' }),
        },
        ids: { next: (kind: string) => `${kind}_${ids++}` },
        clock: { now: () => 0 },
        stopwatch: { elapsed: () => 0 },
        tracer: null,
        logger: { log: (line: RequestLine) => lines.push(line) },
        metrics: { callStarted: () => undefined, callFinished: () => undefined, charged: () => undefined },
      },
      call,
      caller: { token: { tokenId: 'tok_1', restrictions: { models: ['voice', 'scribe', 'other', 'free'] } }, user: { userId: 'usr_1' } },
      route: { model: 'voice', price: priced('voice'), priceListId: 'prl_1', groupRatio: 1_000_000, addedTokens: 0, channels: [channel] },
      served: { channel, key: null, upstreamModel: 'theirs' },
    } as unknown as SessionParties & { readonly caller: Caller };
    transcripts = new Transcripts(parties, settling, () => undefined);
  });

  const ahead = async (model: string, audioTokens: number): Promise<Ahead> => {
    expect(await transcripts.hear(model, audioTokens)).to.equal(null);
    const taken = transcripts.moneyOfComing(null).take();
    if (taken === null) throw new Error('no money is there');
    return taken;
  };

  it('are charged at the price of their model, by the sound that was heard since the last of them', async () => {
    expect(await transcripts.charge(await ahead('scribe', 25), {}, 48_000)).to.equal(null);
    expect(spending.last.request.model).to.equal('scribe');
    expect(spending.charges.map(({ usage }) => usage)).to.deep.equal([{ second: 3 }]);
    expect(transcripts.need).to.deep.equal({ promptTokens: 0, outputTokens: 0, seconds: 0 });
    expect(lines[0]).to.include({ model: 'scribe', status: 200 });
  });

  it('need money for what could be spoken in the time', () => {
    void transcripts.hear('scribe', 25);
    expect(transcripts.need).to.deep.equal({ promptTokens: 25, outputTokens: 10, seconds: 3 });
  });

  it('have a price, and a model that the key may use', () => {
    const refusedAs = (model: string): string | null => {
      const route = transcripts.routeOf(model);
      return isRefusal(route) ? route.refused : null;
    };
    expect(refusedAs('scribe')).to.equal(null);
    expect(refusedAs('free')).to.equal('model_without_price');
    expect(refusedAs('forbidden')).to.equal('model_not_allowed');
  });

  it('give back what was held for a writer that another has taken the place of', async () => {
    await transcripts.hear('scribe', 10);
    await transcripts.hear('other', 10);
    await settling.settled();
    expect(spending.reservations.map(({ request, releases }) => [request.model, releases.length])).to.deep.equal([
      ['scribe', 1],
      ['other', 0],
    ]);
    await transcripts.end('client_left');
    expect(spending.unended).to.equal(0);
  });

  it('end their call where their hold is not on record, and charge nothing', async () => {
    let answer: (refusal: Refusal) => void = () => undefined;
    spending.durable = () => new Promise((resolve) => (answer = resolve));
    const charging = transcripts.charge(await ahead('scribe', 10), { transcript: 'hello' }, 48_000);
    answer(refuse('log_unavailable'));
    expect((await charging)?.refused).to.equal('log_unavailable');
    expect(spending.charges).to.deep.equal([]);
    expect(lines[0]).to.include({ model: 'scribe', status: 503, errorCode: 'log_unavailable' });
  });
});
