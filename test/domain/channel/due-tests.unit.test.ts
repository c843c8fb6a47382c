import { expect } from 'chai';
import { dueTests, RECOVERY_MS, type ChannelInCare } from '../../../domain/channel/due-tests.ts';
import type { ChannelId, ChannelKeyId } from '../../../schemas/ids.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const key = (id: string, disabledBy: 'operator' | 'platform' | null = null): ChannelInCare['keys'][number] => ({
  keyId: id as ChannelKeyId,
  enabled: disabledBy === null,
  disabledBy,
});
const due = (more: Partial<ChannelInCare>, testedAgoMs: number | null = null): readonly (string | null)[] =>
  dueTests(
    {
      channelId: 'chn_1' as ChannelId,
      settings: {},
      enabled: true,
      disabledBy: null,
      health: 'healthy',
      keys: [key('a'), key('b')],
      lastTest: testedAgoMs === null ? null : { testedAt: new Date(NOW - testedAgoMs).toISOString() },
      ...more,
    },
    NOW,
  ).map(({ keyId }) => keyId);

describe('which channels are due to be tried', () => {
  it('leaves alone what works, and what an operator switched off', () => {
    expect(due({})).to.deep.equal([]);
    expect(due({ enabled: false, disabledBy: 'operator', health: 'failing' })).to.deep.equal([]);
    expect(due({ keys: [key('a', 'operator'), key('b')] })).to.deep.equal([]);
    expect(due({ enabled: false, disabledBy: 'platform', keys: [key('a', 'operator')] })).to.deep.equal([]);
  });

  it('tries keys that the platform took, a few at once and not too often', () => {
    const taken = ['a', 'b', 'c', 'd'].map((id) => key(id, 'platform'));
    expect(due({ keys: [...taken, key('e')] })).to.deep.equal(['a', 'b', 'c']);
    expect(due({ keys: taken, enabled: false, disabledBy: 'platform' }, RECOVERY_MS)).to.deep.equal(['a', 'b', 'c']);
    expect(due({ keys: taken }, RECOVERY_MS - 1)).to.deep.equal([]);
  });

  it('tries a channel that is off by the platform, or fails, and one that is to be tested now and then', () => {
    expect(due({ enabled: false, disabledBy: 'platform', keys: [] })).to.deep.equal([null]);
    expect(due({ health: 'failing' }, RECOVERY_MS)).to.deep.equal([null]);
    expect(due({ health: 'failing' }, RECOVERY_MS - 1)).to.deep.equal([]);
    expect(due({ settings: { testEveryMinutes: 10 } })).to.deep.equal([null]);
    expect([599_999, 600_000].map((ago) => due({ settings: { testEveryMinutes: 10 } }, ago).length)).to.deep.equal([0, 1]);
  });
});
