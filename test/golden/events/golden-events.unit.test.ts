import { expect } from 'chai';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { decodeEvent, encodeEvent, encodeTrusted, isKnownType, type EncodedEvent } from '../../../domain/kernel/event-codec.ts';
import { categoryOf } from '../../../domain/kernel/stream-name.ts';
import {
  currentSchemaVersion,
  eventsByCategory,
  eventSchemas,
  type EventOf,
  type EventType,
  type LeaseEvent,
} from '../../../schemas/events/catalogue.ts';
import type { Money } from '../../../schemas/money.ts';
import type { Ratio } from '../../../schemas/price.ts';
import { leaseEvent, plainCall } from '../../ledger/lease-event-samples.ts';
import { check } from '../../ledger/seed.ts';

const folder = new URL('.', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8');
const golden = (file: string): EncodedEvent => JSON.parse(read(file)) as EncodedEvent;
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const sealedDigests = new Map(
  readFileSync(new URL('../sealed-events.txt', folder), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): [string, string] => [line.slice(66), line.slice(0, 64)]),
);

describe('stored events of every version ever written', () => {
  for (const type of Object.keys(eventSchemas) as EventType[]) {
    for (let version = 1; version <= currentSchemaVersion[type]; version++) {
      it(`has a golden ${type} of version ${version}`, () =>
        expect(
          files,
          `write test/golden/events/${type}.v${version}.json, every field filled in, and add its sha256sum to test/golden/sealed-events.txt`,
        ).to.include(`${type}.v${version}.json`));
    }
  }

  for (const file of files) {
    it(`${file} is read today`, () => {
      const [, name = '', version = ''] = /^(\w+)\.v(\d+)\.json$/.exec(file) ?? [];
      const stored = golden(file);
      expect(stored.type).to.equal(name);
      expect(stored.schemaVersion).to.equal(Number(version));
      expect(isKnownType(name), `${name} is in no catalogue`).to.equal(true);

      const event = decodeEvent(stored);
      const today = plain(encodeEvent(event)) as EncodedEvent;
      // What is read can be written and read again, and of today's version it is the very same.
      expect(decodeEvent(today)).to.deep.equal(event);
      if (stored.schemaVersion === currentSchemaVersion[event.type]) expect(today).to.deep.equal(stored);
    });

    it(`${file} was never edited`, () => {
      const digest = createHash('sha256').update(read(file)).digest('hex');
      expect(digest, `${file} differs from what was sealed: a stored event is never changed, a new shape gets a new version`).to.equal(
        sealedDigests.get(file),
      );
    });
  }

  it('has no seal without a file', () => expect([...sealedDigests.keys()].sort()).to.deep.equal([...files].sort()));

  it('refuses a version that is newer than this program, and a type that it does not know', () => {
    const stored = golden('CreditGranted.v1.json');
    expect(() => decodeEvent({ ...stored, schemaVersion: currentSchemaVersion.CreditGranted + 1 })).to.throw('schema version');
    expect(() => decodeEvent({ ...stored, type: 'CreditInvented' })).to.throw('unknown event type');
    expect(() => decodeEvent({ ...stored, type: 'constructor' })).to.throw('unknown event type');
  });

  it('names each type once over all streams', () => {
    const types = Object.values(eventsByCategory).flatMap((events) => Object.keys(events));
    expect(new Set(types).size).to.equal(types.length);
    expect(types.sort()).to.deep.equal(Object.keys(eventSchemas).sort());
    for (const category of Object.keys(eventsByCategory)) expect(categoryOf(`${category}-x`)).to.equal(category);
  });
});

describe('the unchecked form of a lease event', () => {
  const isOfLease = (event: { type: string }): event is LeaseEvent => Object.hasOwn(eventsByCategory.lease, event.type);
  const same = (event: LeaseEvent): void => {
    expect(plain(encodeTrusted(event))).to.deep.equal(plain(encodeEvent(event)));
  };

  it('is that of the checked one, for every golden event', () => {
    const events = files.map((file) => decodeEvent(golden(file))).filter(isOfLease);
    expect(events).to.have.length(Object.keys(eventsByCategory.lease).length);
    for (const event of events) same(event);
  });

  it('is that of the checked one, whatever a charge holds', () => {
    const amount = fc.bigInt(0n, 2n ** 63n - 1n).map((value) => value as Money);
    const charged: EventOf<'QuotaDebited'> = leaseEvent.debited('a', 1n);
    const attempt = charged.data.call.attempts[0] ?? {
      attemptId: charged.data.attemptId,
      channelId: charged.data.channelId,
      channelKeyId: null,
      outcome: 'answered',
      status: 200,
      durationMs: 1,
    };
    check(
      fc.property(
        amount,
        amount,
        amount,
        fc.nat(1_000_000_000),
        fc.nat(),
        fc.nat(5),
        fc.boolean(),
        (paid, computed, upstreamCost, ratio, tokens, attempts, failed) =>
          same({
            type: 'QuotaDebited',
            data: {
              ...charged.data,
              amount: paid,
              computed,
              upstreamCost,
              groupRatio: ratio as Ratio,
              usage: tokens === 0 ? {} : { input: tokens, output: tokens },
              call: {
                ...plainCall,
                ...(failed ? { errorCode: 'upstream_failed' } : {}),
                attempts: Array.from({ length: attempts }, () => (failed ? { ...attempt, billedUsage: { input: tokens } } : attempt)),
              },
            },
          }),
      ),
    );
  });

  it('leaves out what is absent', () => {
    const { call: _absent, ...data } = leaseEvent.released('a').data;
    same({ type: 'QuotaReleased', data: { ...data, reason: 'holder_lost', reconcile: true } });
  });
});
