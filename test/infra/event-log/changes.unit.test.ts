import { expect } from 'chai';
import fc from 'fast-check';
import { Changes } from '../../../infra/event-log/changes.ts';
import { parseNotification, senderText } from '../../../infra/event-log/postgres/notification.ts';
import type { EventFilter, Position } from '../../../schemas/event-envelope.ts';

const at = (position: number): Position => BigInt(position) as Position;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const FILTERS: readonly (EventFilter | undefined)[] = [
  undefined,
  { categories: ['account'] },
  { types: ['TokenIssued', 'CapSet'] },
  { categories: ['lease'], types: ['LeaseOpened'] },
];
const KINDS = ['account/CapSet', 'account/AccountOpened', 'token/TokenIssued', 'lease/LeaseOpened', 'lease/QuotaDebited'] as const;

/** Said anew, so that a mistake in the sources is not repeated here. */
const WANTED: readonly (readonly string[])[] = [
  KINDS,
  ['account/CapSet', 'account/AccountOpened'],
  ['account/CapSet', 'token/TokenIssued'],
  ['lease/LeaseOpened'],
];

describe('changes of a log', () => {
  let abort: AbortController;
  beforeEach(() => (abort = new AbortController()));
  afterEach(() => abort.abort());

  const isAwake = async (changes: Changes, seen: number, filter: EventFilter | undefined, position: Position, then: () => void) => {
    let awake = false;
    void changes.after(seen, { filter, position }, abort.signal).then(() => (awake = true));
    await settle();
    expect(awake).to.equal(false);
    then();
    await settle();
    return awake;
  };

  it('wake those who want what was appended, and nobody else', async () => {
    for (const [i, filter] of FILTERS.entries())
      for (const kind of KINDS) {
        const changes = new Changes();
        const awake = await isAwake(changes, 0, filter, at(3), () => changes.announce({ kinds: [kind], position: at(4) }));
        expect(awake, `${kind} for ${JSON.stringify(filter)}`).to.equal(WANTED[i]?.includes(kind));
      }
  });

  it('wake everybody when nobody can say what it was, but those who have seen it', async () => {
    for (const filter of FILTERS) {
      const changes = new Changes();
      expect(await isAwake(changes, 0, filter, at(3), () => changes.announce())).to.equal(true);
      expect(await isAwake(changes, changes.version, filter, at(3), () => changes.announce({ position: at(3) }))).to.equal(false);
      expect(await isAwake(changes, changes.version, filter, at(3), () => changes.announce({ position: at(4) }))).to.equal(true);
    }
  });

  it('that are told late take nothing back of what was told before', async () => {
    const changes = new Changes();
    const seen = changes.version;
    changes.announce({ kinds: ['account/CapSet'], position: at(5) });
    changes.announce({ kinds: ['account/CapSet'], position: at(3) });
    await changes.after(seen, { filter: { categories: ['account'] }, position: at(4) }, abort.signal);
    changes.announce({ position: at(9) });
    changes.announce({ position: at(7) });
    await changes.after(seen, { filter: { categories: ['token'] }, position: at(8) }, abort.signal);
  });

  it('are not lost on a reader that looks meanwhile, in whatever order they come: it ends with all it wants', async () => {
    const operation = fc.oneof(
      fc.record({ append: fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 3 }) }),
      fc.record({ tell: fc.nat(5) }),
      fc.constant({ wait: true as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(FILTERS.length - 1), fc.array(operation, { maxLength: 30 }), async (which, operations) => {
        const filter = FILTERS[which];
        const wanted = WANTED[which] as readonly string[];
        const changes = new Changes();
        const log: string[] = [];
        const untold: { kinds: readonly string[]; position: Position }[] = [];
        let seen = 0;
        let looks = 0;
        const stop = new AbortController();
        const reading = (async () => {
          while (!stop.signal.aborted) {
            const { version } = changes;
            seen = log.length;
            looks++;
            // What is announced while it looks comes in between.
            await settle();
            await changes.after(version, { filter, position: at(seen) }, stop.signal);
          }
        })();
        const tell = (i: number): void => {
          const [news] = untold.splice(i % untold.length, 1);
          if (news !== undefined) changes.announce(news);
        };
        for (const step of operations) {
          if ('append' in step) {
            log.push(...step.append);
            untold.push({ kinds: step.append, position: at(log.length) });
          } else if ('tell' in step) {
            if (untold.length > 0) tell(step.tell);
          } else await settle();
        }
        while (untold.length > 0) tell(0);
        for (let quiet = 0, before = looks; quiet < 3; quiet = looks === before ? quiet + 1 : 0, before = looks) await settle();
        const missed = log.slice(seen).filter((kind) => wanted.includes(kind));
        stop.abort();
        await reading;
        expect(missed).to.deep.equal([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a notification of the log in PostgreSQL', () => {
  it('says who appended what, and up to where', () => {
    const payload = `${senderText('w-1', new Set(['lease/QuotaDebited', 'account/CapSet']))}:42`;
    expect(parseNotification(payload)).to.deep.equal({
      writer: 'w-1',
      kinds: ['lease/QuotaDebited', 'account/CapSet'],
      position: at(42),
    });
  });

  it('of another release, without kinds, may be of anything', () => {
    expect(parseNotification('w-1:42')).to.deep.equal({ writer: 'w-1', kinds: undefined, position: at(42) });
  });

  it('never becomes longer than PostgreSQL takes', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `category/Type${i}`);
    expect(senderText('w-1', many)).to.equal('w-1');
  });

  it('that nobody of ours sent is none', () => {
    for (const payload of ['', ':', ':5', 'w', 'w:', 'w:x', 'w;a/b:']) expect(parseNotification(payload), payload).to.equal(null);
  });
});
