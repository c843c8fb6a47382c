import { expect } from 'chai';
import fc from 'fast-check';
import { filteredBy } from '../../../domain/relay/channel-filter.ts';
import { chooseChannel, type Candidate, type Consideration, type RoutingFacts } from '../../../domain/relay/choose-channel.ts';
import { chooseKey } from '../../../domain/relay/choose-key.ts';
import { latencyAt, observe } from '../../../domain/relay/peak-ewma.ts';
import { belongsTo } from '../../../domain/relay/rendezvous.ts';
import { seeded, simulateRouting } from '../../../domain/relay/simulate-routing.ts';
import type { RoutingStrategy } from '../../../schemas/events/routing.ts';
import type { ChannelId } from '../../../schemas/ids.ts';
import type { Ratio } from '../../../schemas/price.ts';
import { check } from '../../ledger/seed.ts';

interface Named extends Candidate {
  readonly name: string;
}
const channel = (name: string, priority: number, weight: number, costRatio = 1): Named => ({
  name,
  channelId: `chn_${name}` as ChannelId,
  settings: { priority, weight, costRatio: costRatio as Ratio },
});
const facts = (more: Partial<RoutingFacts<Named>> = {}): RoutingFacts<Named> => ({
  strategy: 'weighted',
  affinity: null,
  random: 0,
  turn: 0,
  hindrance: () => null,
  inFlight: () => 0,
  latencyMs: () => null,
  ...more,
});
const choose = (channels: readonly Named[], random: number, mayTry: (channel: Named) => boolean = () => true): string | null =>
  chooseChannel(channels, facts({ random, hindrance: (each) => (mayTry(each) ? null : 'tried') }))?.name ?? null;

describe('choosing a channel', () => {
  it('takes the highest priority that may be tried', () => {
    const channels = [channel('low', 1, 100), channel('high', 5, 1), channel('middle', 3, 1)];
    expect(choose(channels, 0.99)).to.equal('high');
    expect(choose(channels, 0.99, ({ name }) => name !== 'high')).to.equal('middle');
    expect(choose(channels, 0, () => false)).to.equal(null);
    expect(choose([], 0)).to.equal(null);
  });

  it('chooses by weight among equals', () => {
    const channels = [channel('a', 0, 1), channel('b', 0, 3)];
    expect([0, 0.2, 0.26, 0.99].map((random) => choose(channels, random))).to.deep.equal(['a', 'a', 'b', 'b']);
  });

  it('keeps weight zero for when all others are out', () => {
    const channels = [channel('spare', 0, 0), channel('usual', 0, 1), channel('spare too', 0, 0)];
    for (const random of [0, 0.5, 0.999]) expect(choose(channels, random)).to.equal('usual');
    const spares = ({ name }: Named): boolean => name !== 'usual';
    expect([0, 0.999].map((random) => choose(channels, random, spares))).to.deep.equal(['spare', 'spare too']);
  });

  it('chooses in proportion to weights, never one that may not be tried, and always one where there is one', () => {
    check(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 5 }), fc.boolean()), { maxLength: 6 }),
        (made) => {
          const channels = made.map(([priority, weight, may], index) => ({ ...channel(String(index), priority, weight), may }));
          const mayTry = (candidate: Named): boolean => (candidate as Named & { may: boolean }).may;
          const usable = channels.filter(mayTry);
          const top = Math.max(...usable.map(({ settings }) => settings.priority));
          const equals = usable.filter(({ settings }) => settings.priority === top);
          const total = equals.reduce((sum, { settings }) => sum + settings.weight, 0);
          const steps = 1_000;
          const counts = new Map<string | null, number>();
          for (let step = 0; step < steps; step++) {
            const chosen = choose(channels, (step + 0.5) / steps, mayTry);
            counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
          }
          if (usable.length === 0) expect([...counts.keys()]).to.deep.equal([null]);
          for (const { name, settings } of equals) {
            const share = total === 0 ? 1 / equals.length : settings.weight / total;
            expect((counts.get(name) ?? 0) / steps).to.be.closeTo(share, 0.003);
          }
        },
      ),
      50,
    );
  });
});

describe('strategies', () => {
  const [a, b, c] = [channel('a', 0, 1, 900), channel('b', 0, 1, 300), channel('c', 0, 2, 300)] as const;
  const take = (more: Partial<RoutingFacts<Named>>, channels: readonly Named[] = [a, b, c]): string | null =>
    chooseChannel(channels, facts(more))?.name ?? null;

  it('round robin: takes turns among those that can be tried', () => {
    const turns = [0, 1, 2, 3].map((turn) => take({ strategy: 'round_robin', turn }));
    expect(turns).to.deep.equal(['a', 'b', 'c', 'a']);
    const hindrance: RoutingFacts<Named>['hindrance'] = (each) => (each === b ? 'circuit_open' : null);
    expect([0, 1, 2].map((turn) => take({ strategy: 'round_robin', turn, hindrance }))).to.deep.equal(['a', 'c', 'a']);
  });

  it('least in flight: by what a channel is at for its weight', () => {
    const at: Readonly<Record<string, number>> = { a: 2, b: 3, c: 4 };
    expect(take({ strategy: 'least_in_flight', inFlight: ({ name }) => at[name] ?? 0 })).to.equal('c');
  });

  it('lowest latency: waits for those it knows nothing of only once', () => {
    const ms: Readonly<Record<string, number | null>> = { a: 100, b: 40, c: null };
    const latencyMs: RoutingFacts<Named>['latencyMs'] = ({ name }) => ms[name] ?? null;
    expect(take({ strategy: 'lowest_latency', latencyMs })).to.equal('c');
    expect(take({ strategy: 'lowest_latency', latencyMs, inFlight: (each) => (each === c ? 1 : 0) })).to.equal('b');
    expect(take({ strategy: 'lowest_latency', latencyMs, inFlight: (each) => (each === a ? 0 : 2) })).to.equal('a');
  });

  it('lowest cost: by weight among the cheapest', () => {
    expect([0, 0.5, 0.9].map((random) => take({ strategy: 'lowest_cost', random }))).to.deep.equal(['b', 'c', 'c']);
  });

  it('never leaves the highest priority, nor takes a last resort beside others', () => {
    const channels = [channel('cheap', 0, 1, 1), channel('spare', 5, 0, 2), channel('usual', 5, 1, 900)];
    for (const strategy of ['weighted', 'round_robin', 'least_in_flight', 'lowest_latency', 'lowest_cost'] satisfies RoutingStrategy[])
      for (const turn of [0, 1, 2]) expect(take({ strategy, turn }, channels), strategy).to.equal('usual');
  });

  it('affinity keeps a call on its channel, and moves it only when that one is out', () => {
    const keys = Array.from({ length: 300 }, (_, index) => `conversation ${index}`);
    const home = (affinity: string, out?: Named): string | null =>
      take({ affinity, hindrance: (each) => (each === out ? 'circuit_open' : null), random: 0.3 });
    for (const key of keys) {
      const usual = home(key);
      expect(home(key)).to.equal(usual);
      if (usual !== 'a') expect(home(key, a)).to.equal(usual);
      else expect(home(key, a)).to.be.oneOf(['b', 'c']);
    }
  });

  it('affinity spreads keys by weight', () => {
    const members = [1, 2, 3, 4].map((weight) => ({ name: `member ${weight}`, weight }));
    const counts = new Map<string, number>();
    for (let key = 0; key < 20_000; key++) {
      const found = belongsTo(
        members,
        `key ${key}`,
        ({ name }) => name,
        ({ weight }) => weight,
      );
      if (found !== null) counts.set(found.name, (counts.get(found.name) ?? 0) + 1);
    }
    for (const { name, weight } of members) expect((counts.get(name) ?? 0) / 20_000).to.be.closeTo(weight / 10, 0.015);
    expect(
      belongsTo(
        [{ weight: 0 }],
        'k',
        () => 'x',
        ({ weight }) => weight,
      ),
    ).to.not.equal(null);
    expect(
      belongsTo(
        [],
        'k',
        () => 'x',
        () => 1,
      ),
    ).to.equal(null);
  });

  it('explains itself: one word on every channel, and the same choice', () => {
    const strategies: RoutingStrategy[] = ['weighted', 'round_robin', 'least_in_flight', 'lowest_latency', 'lowest_cost'];
    check(
      fc.property(
        fc.array(
          fc.record({
            priority: fc.integer({ min: 0, max: 2 }),
            weight: fc.integer({ min: 0, max: 3 }),
            cost: fc.integer({ min: 1, max: 3 }),
            out: fc.boolean(),
            running: fc.integer({ min: 0, max: 3 }),
            ms: fc.option(fc.integer({ min: 1, max: 100 })),
          }),
          { maxLength: 6 },
        ),
        fc.constantFrom(...strategies),
        fc.option(fc.string()),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.nat(9),
        (made, strategy, affinity, random, turn) => {
          const channels = made.map(({ priority, weight, cost }, index) => channel(String(index), priority, weight, cost));
          const of = ({ name }: Named): (typeof made)[number] | undefined => made[Number(name)];
          const now = facts({
            strategy,
            affinity,
            random,
            turn,
            hindrance: (each) => (of(each)?.out === true ? 'circuit_open' : null),
            inFlight: (each) => of(each)?.running ?? 0,
            latencyMs: (each) => of(each)?.ms ?? null,
          });
          const said = new Map<string, Consideration[]>();
          const explained = chooseChannel(channels, now, (each, word) => said.set(each.name, [...(said.get(each.name) ?? []), word]));
          expect(explained).to.equal(chooseChannel(channels, now));
          expect([...said.keys()].sort()).to.deep.equal(channels.map(({ name }) => name).sort());
          for (const words of said.values()) expect(words).to.have.length(1);
          const chosen = [...said].filter(([, [word]]) => word?.kind === 'chosen').map(([name]) => name);
          expect(chosen).to.deep.equal(explained === null ? [] : [explained.name]);
          const odds = [...said.values()].flat().reduce((sum, word) => sum + ('odds' in word ? word.odds : 0), 0);
          if (explained !== null) expect(odds).to.be.closeTo(1, 1e-9);
        },
      ),
      300,
    );
  });
});

describe('a simulation', () => {
  it('of 100 000 calls goes where the weights say, within one percent of all', () => {
    const weights = [1, 2, 3, 5, 10, 0];
    const channels = weights.map((weight, index) => channel(String(index), 0, weight));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const seed of [1, 2, 3]) {
      const { counts, unserved, considered } = simulateRouting(channels, facts(), { draws: 100_000, overlap: 0, seed });
      expect(unserved).to.equal(0);
      expect(considered).to.have.length(channels.length);
      for (const { channelId, settings } of channels)
        expect((counts.get(channelId) ?? 0) / 100_000).to.be.closeTo(settings.weight / total, 0.01);
    }
  });

  it('counts what it has put in flight itself', () => {
    const channels = [channel('a', 0, 1), channel('b', 0, 3)];
    const { counts } = simulateRouting(channels, facts({ strategy: 'least_in_flight' }), { draws: 10_000, overlap: 40, seed: 1 });
    expect((counts.get(channels[1]?.channelId as ChannelId) ?? 0) / 10_000).to.be.closeTo(0.75, 0.01);
  });

  it('says how many calls nobody can serve', () => {
    const { counts, unserved } = simulateRouting([channel('a', 0, 1)], facts({ hindrance: () => 'no_key' }), {
      draws: 10,
      overlap: 0,
      seed: 1,
    });
    expect([unserved, counts.size]).to.deep.equal([10, 0]);
  });

  it('draws numbers that are evenly spread and follow from the seed', () => {
    const [one, same, other] = [seeded(7), seeded(7), seeded(8)];
    const drawn = Array.from({ length: 10_000 }, one);
    expect(Array.from({ length: 10_000 }, same)).to.deep.equal(drawn);
    expect(other()).to.not.equal(drawn[0]);
    for (let tenth = 0; tenth < 10; tenth++)
      expect(drawn.filter((number) => Math.floor(number * 10) === tenth).length).to.be.within(850, 1_150);
  });
});

describe('how long answers take of late', () => {
  it('follows peaks at once and the rest slowly, and is forgiven with time', () => {
    let seen = observe(null, 100, 0);
    seen = observe(seen, 900, 1_000);
    expect(seen).to.deep.equal({ ms: 900, at: 1_000 });
    const next = observe(seen, 100, 2_000);
    expect(next.ms).to.be.within(800, 850);
    expect(latencyAt(next, 2_000)).to.equal(next.ms);
    expect(latencyAt(next, 60_000)).to.be.lessThan(5);
  });

  it('is never outside of what was seen', () => {
    check(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 20_000 })), { minLength: 1 }),
        (samples) => {
          let at = 0;
          let seen: ReturnType<typeof observe> | null = null;
          for (const [ms, later] of samples) {
            at += later;
            seen = observe(seen, ms, at);
          }
          const all = samples.map(([ms]) => ms);
          expect(seen?.ms).to.be.within(Math.min(...all) - 1e-6, Math.max(...all) + 1e-6);
        },
      ),
      100,
    );
  });
});

describe('which channels a call may go to at all', () => {
  const open = { groups: null, provider: 'groq', baseUrl: 'https://api.groq.com/openai/v1' };
  it('is a matter of the group, the endpoint and what the model can do there', () => {
    expect(filteredBy(open, [], 'default', 'chat', ['tools'])).to.equal(null);
    expect(filteredBy({ ...open, groups: ['vip'] }, [], 'default', 'chat', [])).to.equal('other_group');
    expect(filteredBy({ ...open, groups: ['vip'] }, [], 'vip', 'chat', [])).to.equal(null);
    expect(filteredBy({ ...open, endpoints: ['embeddings'] }, [], 'default', 'chat', [])).to.equal('other_endpoint');
    expect(filteredBy(open, ['vision', 'tools'], 'default', 'chat', ['tools'])).to.equal('lacks_capability');
    expect(filteredBy(open, ['vision'], 'default', 'chat', ['tools'])).to.equal(null);
  });
});

describe('a provider that is known not to take a kind of call', () => {
  const by = (provider: string, baseUrl: string, endpoint: string, endpoints?: readonly string[]): unknown =>
    filteredBy(
      { groups: null, provider, baseUrl, ...(endpoints === undefined ? {} : { endpoints: [...endpoints] }) },
      [],
      'default',
      endpoint,
      [],
    );

  it('is passed over at its own address', () => {
    expect(by('anthropic', 'https://api.anthropic.com/v1', 'embeddings')).to.equal('provider_lacks');
    expect(by('anthropic', 'https://api.anthropic.com/v1', 'chat')).to.equal(null);
    expect(by('voyage', 'https://api.voyageai.com/v1', 'chat')).to.equal('provider_lacks');
  });
  it('is known by its address whatever is filled into it', () => {
    expect(by('aws-bedrock', 'https://bedrock-runtime.eu-west-1.amazonaws.com', 'embeddings')).to.equal('provider_lacks');
    expect(by('aws-bedrock', 'https://bedrock.proxy.example', 'embeddings')).to.equal(null);
  });
  it('is believed in where an operator says so, or the address is another', () => {
    expect(by('anthropic', 'https://api.anthropic.com/v1', 'embeddings', ['embeddings'])).to.equal(null);
    expect(by('anthropic', 'https://mirror.example/v1', 'embeddings')).to.equal(null);
    expect(by('openai-compatible', 'https://model.host/v1', 'rerank')).to.equal(null);
  });
  it('is asked for kinds that no row tells of', () => {
    expect(by('anthropic', 'https://api.anthropic.com/v1', 'pass_through')).to.equal(null);
  });
});

describe('choosing a key', () => {
  it('goes round, and passes over those that may not be used', () => {
    const keys = ['a', 'b', 'c'];
    const taken: string[] = [];
    let cursor = -1;
    for (let step = 0; step < 5; step++) {
      const chosen = chooseKey(keys, cursor, (key) => key !== 'b');
      if (chosen === null) return expect.fail();
      taken.push(chosen.key);
      cursor = chosen.index;
    }
    expect(taken).to.deep.equal(['a', 'c', 'a', 'c', 'a']);
    expect(chooseKey(keys, 7, () => false)).to.equal(null);
    expect(chooseKey([], 0, () => true)).to.equal(null);
  });
});
