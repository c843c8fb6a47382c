import { expect } from 'chai';
import fc from 'fast-check';
import { chooseChannel } from '../../../domain/relay/choose-channel.ts';
import { chooseKey } from '../../../domain/relay/choose-key.ts';
import { check } from '../../ledger/seed.ts';

interface Named {
  readonly name: string;
  readonly settings: { readonly priority: number; readonly weight: number; readonly groups: string[] | null };
}
const channel = (name: string, priority: number, weight: number, groups: string[] | null = null): Named => ({
  name,
  settings: { priority, weight, groups },
});
const choose = (
  channels: readonly Named[],
  random: number,
  mayTry: (channel: Named) => boolean = () => true,
  group = 'default',
): string | null => chooseChannel(channels, group, mayTry, random)?.name ?? null;

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

  it('leaves out channels of other groups', () => {
    const channels = [channel('vip', 9, 1, ['vip']), channel('all', 0, 1)];
    expect(choose(channels, 0)).to.equal('all');
    expect(choose(channels, 0, () => true, 'vip')).to.equal('vip');
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
