import { expect } from 'chai';
import fc from 'fast-check';
import { Roster, type Listed } from '../../../gateways/relay/roster.ts';

describe('a roster', () => {
  it('holds what a set would hold, however often things are added and deleted', () => {
    const steps = fc.array(fc.record({ coming: fc.boolean(), who: fc.nat({ max: 9 }) }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (given) => {
        const things: Listed[] = Array.from({ length: 10 }, () => ({ place: -1 }));
        const roster = new Roster<Listed>();
        const set = new Set<Listed>();
        for (const { coming, who } of given) {
          const thing = things[who] as Listed;
          if (coming) {
            roster.add(thing);
            set.add(thing);
          } else {
            roster.delete(thing);
            set.delete(thing);
          }
          expect(roster.size).to.equal(set.size);
          expect(roster.all().every((thing) => set.has(thing))).to.equal(true);
          for (const each of things) expect(each.place >= 0).to.equal(set.has(each));
        }
      }),
    );
  });
});
