import { expect } from 'chai';
import type { DirectoryChannel } from '../../../gateways/ports/directory.ts';
import { ChannelStates } from '../../../gateways/relay/channel-states.ts';
import { DEFAULT_RELAY_LIMITS } from '../../../gateways/relay/relay-limits.ts';
import { channel } from './relay-harness.ts';

const { breaker } = DEFAULT_RELAY_LIMITS;

interface Gateway {
  readonly states: ChannelStates;
  fail(times: number): void;
}

describe('what gateways hear of a channel from each other', () => {
  let now = 0;
  let known: DirectoryChannel;
  /** What was told to the log, which tells everybody. */
  let told: string[];

  const gateway = (): Gateway => {
    const states = new ChannelStates({ elapsed: () => now }, DEFAULT_RELAY_LIMITS, {
      healthChanged: (_channelId, _from, to) => {
        told.push(to);
        known = { ...known, health: to };
      },
      modelHealthChanged: (_channelId, model, to) => {
        told.push(`${model} ${to}`);
        known = {
          ...known,
          failingModels: to === 'failing' ? [...known.failingModels, model] : known.failingModels.filter((each) => each !== model),
        };
      },
      channelRefused: () => told.push('refused'),
      keyRefused: () => undefined,
    });
    states.hindrance(known, 'm', null);
    return {
      states,
      fail: (times) => {
        for (let failure = 0; failure < times; failure++) states.failed(known, 'm', 'answer', 'HTTP 500');
      },
    };
  };

  const admits = (states: ChannelStates, model = 'm'): boolean => states.hindrance(known, model, null) === null;

  beforeEach(() => {
    now = 1_000_000;
    known = { ...channel('http://127.0.0.1:1'), health: 'healthy' };
    told = [];
  });

  it('who has no experience of his own believes it, rests, and tells when it answers again', () => {
    const [one, other] = [gateway(), gateway()];
    one.fail(breaker.failures);
    expect(told).to.deep.equal(['failing']);
    expect(admits(other.states)).to.equal(false);
    now += breaker.rest;
    expect(admits(other.states)).to.equal(true);
    other.states.attempted(known, 'm');
    other.states.succeeded(known, 'm', null, 5);
    expect(told).to.deep.equal(['failing', 'healthy']);
    now += 1;
    expect(admits(one.states)).to.equal(true);
  });

  it('who is healthy again by hearsay is failing at the first failure', () => {
    const [one, other] = [gateway(), gateway()];
    one.fail(breaker.failures);
    admits(other.states);
    now += breaker.rest;
    other.states.attempted(known, 'm');
    other.states.succeeded(known, 'm', null, 5);
    expect(admits(one.states)).to.equal(true);
    one.fail(1);
    expect(admits(one.states)).to.equal(false);
  });

  it('who was served a moment ago believes his own eyes, and says nothing against it', () => {
    const [cutOff, served] = [gateway(), gateway()];
    served.states.succeeded(known, 'm', null, 5);
    cutOff.fail(breaker.failures);
    for (let call = 0; call < 100; call++) {
      now += 50;
      expect(admits(served.states)).to.equal(true);
      served.states.succeeded(known, 'm', null, 5);
    }
    expect(told).to.deep.equal(['failing']);
  });

  it('forgets what it heard when the channel is changed', () => {
    const [one, other] = [gateway(), gateway()];
    one.fail(breaker.failures);
    expect(admits(other.states)).to.equal(false);
    known = { ...known, health: 'unknown', settings: { ...known.settings, weight: 7 } };
    expect(admits(other.states)).to.equal(true);
  });

  it('takes one model from a channel whose others work, and tells who hears it', () => {
    known = { ...channel('http://127.0.0.1:1', { models: ['m', 'n'] }), health: 'healthy' };
    const [one, other] = [gateway(), gateway()];
    one.fail(breaker.failures);
    expect(told).to.deep.equal(['m failing']);
    for (const { states } of [one, other]) {
      expect(states.hindrance(known, 'm', null)).to.equal('model_circuit_open');
      expect(states.hindrance(known, 'n', null)).to.equal(null);
    }
    now += breaker.rest;
    expect(admits(other.states)).to.equal(true);
    other.states.attempted(known, 'm');
    expect(admits(other.states)).to.equal(false);
    other.states.succeeded(known, 'm', null, 5);
    expect(told).to.deep.equal(['m failing', 'm healthy']);
    now += breaker.rest;
    expect(admits(one.states)).to.equal(true);
  });

  it('takes the whole channel once a second model fails as well, or nobody answers at all', () => {
    for (const silent of [true, false]) {
      known = { ...channel('http://127.0.0.1:1', { models: ['m', 'n', 'o'] }), health: 'healthy' };
      const { states } = gateway();
      for (let failure = 0; failure <= breaker.failures; failure++)
        states.failed(known, failure % 2 === 0 ? 'm' : 'n', silent ? 'silence' : 'answer', 'it is ill');
      expect(states.hindrance(known, 'o', null)).to.equal('circuit_open');
    }
  });

  it('opens on the share of failures alone, between answers', () => {
    const { states } = gateway();
    const { calls } = DEFAULT_RELAY_LIMITS.errorRate;
    for (let call = 0; call < calls; call++) {
      expect(admits(states), `after ${call} calls`).to.equal(true);
      if (call % 2 === 0) states.succeeded(known, 'm', null, 5);
      else states.failed(known, 'm', 'answer', 'HTTP 500');
    }
    expect(admits(states)).to.equal(false);
    expect(told).to.deep.equal(['failing']);
  });

  it('lets a limited key rest twice as long each time in a row, until it serves again', () => {
    known = { ...channel('http://127.0.0.1:1', { keys: ['sk-1'] }), health: 'healthy' };
    const { states } = gateway();
    const [key] = known.keys;
    if (key === undefined) return expect.fail();
    const restOf = (): number => {
      const began = now;
      while (!admits(states)) now += 100;
      return now - began;
    };
    const rests = [1, 2, 3].map(() => {
      states.keyLimited(known, key, null);
      return restOf();
    });
    expect(rests).to.deep.equal([1_000, 2_000, 4_000]);
    states.succeeded(known, 'm', key, 5);
    states.keyLimited(known, key, null);
    expect(restOf()).to.equal(1_000);
    states.keyLimited(known, key, 300);
    expect(restOf()).to.equal(300);
  });

  it('uses a refused key again as soon as somebody has put it back', () => {
    known = { ...channel('http://127.0.0.1:1', { keys: ['sk-1'] }), health: 'healthy' };
    const { states } = gateway();
    const [key] = known.keys;
    if (key === undefined) return expect.fail();
    states.keyRefused(known, key, 'HTTP 401');
    expect(states.hindrance(known, 'm', null)).to.equal('no_key');
    known = { ...known, keys: [{ ...key }] };
    expect(admits(states)).to.equal(true);
  });

  it('knows what channels are at, whatever becomes of their settings', () => {
    const { states } = gateway();
    states.attempted(known, 'm');
    states.attempted(known, 'm');
    known = { ...known, settings: { ...known.settings, weight: 9 } };
    states.ended(known);
    states.answeredAfter(known, 250);
    expect(states.sight(known)).to.deep.include({ inFlight: 1, latencyMs: 250, circuit: 'closed' });
  });

  it('uses keys by chance where the channel has it so, and where a call belongs', () => {
    known = channel('http://127.0.0.1:1', { keys: ['sk-1', 'sk-2', 'sk-3'], keyOrder: 'random' });
    const { states } = gateway();
    const keyFor = (affinity: string | null, random: number): string => {
      const picked = states.nextKey(known, null, affinity, random);
      return picked.usable ? (picked.key?.secret ?? '') : '';
    };
    expect([0, 0.4, 0.9].map((random) => keyFor(null, random))).to.deep.equal(['sk-2', 'sk-3', 'sk-1']);
    const homes = ['a', 'b', 'c', 'd', 'e', 'f'].map((affinity) => keyFor(affinity, 0));
    expect(['a', 'b', 'c', 'd', 'e', 'f'].map((affinity) => keyFor(affinity, 0.7))).to.deep.equal(homes);
    expect(new Set(homes).size).to.be.greaterThan(1);
  });
});
