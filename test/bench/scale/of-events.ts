import type { Position } from '../../../schemas/event-envelope.ts';
import type { StreamName } from '../../../schemas/ids.ts';
import { storedEvents } from '../call-events.ts';
import { fill, openScaleDatabase } from './database.ts';
import { doublings, type Series } from './series.ts';

const EVENTS_OF_A_CALL = 2;
/** Measured at the end of each size. */
const WINDOW = 20_000;
const READS = 300;

/** A log of up to so many events: writing the next ones, reading all of them, reading the stream of one lease. */
export const ofEvents = async (events: number): Promise<readonly Series[]> => {
  const database = await openScaleDatabase();
  try {
    const { log } = database;
    const sizes = doublings(events, 4);
    const window = Math.min(WINDOW, Math.floor((sizes[0] as number) / 2));
    const stored = storedEvents(Math.ceil(events / EVENTS_OF_A_CALL) + 100, 2_500).slice(0, events);
    const [appending, reading, one]: [Series['points'][number][], Series['points'][number][], Series['points'][number][]] = [[], [], []];
    let at = 0;
    for (const n of sizes) {
      await fill(log, stored.slice(at, n - window));
      const [cpu, since] = [database.cpu(), performance.now()];
      await fill(log, stored.slice(n - window, n));
      const seconds = (performance.now() - since) / 1_000;
      at = n;
      const bytes = await database.bytes();
      appending.push({
        n,
        cost: (database.cpu() - cpu) / window,
        perSecond: window / seconds,
        note: `${Math.round(bytes / n)} bytes on disk for an event`,
      });

      const [readCpu, readSince] = [database.cpu(), performance.now()];
      let read = 0;
      for await (const event of log.readAll({ upTo: BigInt(n) as Position })) read += event.revision >= 0 ? 1 : 0;
      if (read !== n) throw new Error(`${read} of ${n} events were read`);
      reading.push({ n, cost: database.cpu() - readCpu, perSecond: n / ((performance.now() - readSince) / 1_000) });

      const leases = stored.slice(0, n).filter(({ type }) => type === 'LeaseOpened');
      const [oneCpu, oneSince] = [database.cpu(), performance.now()];
      for (let i = 0; i < READS; i++) {
        const { stream } = leases[(i * 7_919) % leases.length] as (typeof leases)[number];
        for await (const event of log.readStream(stream as StreamName, { limit: 20 })) read += event.revision;
      }
      one.push({ n, cost: (database.cpu() - oneCpu) / READS, perSecond: READS / ((performance.now() - oneSince) / 1_000) });
    }
    const of = 'events in the log';
    return [
      { name: 'appending', of, growth: 'flat', cost: 'CPU s for the next event', points: appending },
      { name: 'reading the whole log', of, growth: 'linear', cost: 'CPU s for all', points: reading },
      { name: 'reading 20 events of a lease', of, growth: 'flat', cost: 'CPU s for one', points: one },
    ];
  } finally {
    await database.close();
  }
};
