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
      keyRefused: () => undefined,
    });
    states.admits(known);
    return {
      states,
      fail: (times) => {
        for (let failure = 0; failure < times; failure++) states.failed(known, 'HTTP 500');
      },
    };
  };

  beforeEach(() => {
    now = 1_000_000;
    known = { ...channel('http://127.0.0.1:1'), health: 'healthy' };
    told = [];
  });

  it('who has no experience of his own believes it, rests, and tells when it answers again', () => {
    const [one, other] = [gateway(), gateway()];
    one.fail(breaker.failures);
    expect(told).to.deep.equal(['failing']);
    expect(other.states.admits(known)).to.equal(false);
    now += breaker.rest;
    expect(other.states.admits(known)).to.equal(true);
    other.states.attempted(known);
    other.states.succeeded(known);
    expect(told).to.deep.equal(['failing', 'healthy']);
    now += 1;
    expect(one.states.admits(known)).to.equal(true);
  });

  it('who is healthy again by hearsay is failing at the first failure', () => {
    const [one, other] = [gateway(), gateway()];
    one.fail(breaker.failures);
    other.states.admits(known);
    now += breaker.rest;
    other.states.attempted(known);
    other.states.succeeded(known);
    expect(one.states.admits(known)).to.equal(true);
    one.fail(1);
    expect(one.states.admits(known)).to.equal(false);
  });

  it('who was served a moment ago believes his own eyes, and says nothing against it', () => {
    const [cutOff, served] = [gateway(), gateway()];
    served.states.succeeded(known);
    cutOff.fail(breaker.failures);
    for (let call = 0; call < 100; call++) {
      now += 50;
      expect(served.states.admits(known)).to.equal(true);
      served.states.succeeded(known);
    }
    expect(told).to.deep.equal(['failing']);
  });

  it('forgets what it heard when the channel is changed', () => {
    const [one, other] = [gateway(), gateway()];
    one.fail(breaker.failures);
    expect(other.states.admits(known)).to.equal(false);
    known = { ...known, health: 'unknown', settings: { ...known.settings, weight: 7 } };
    expect(other.states.admits(known)).to.equal(true);
  });
});
