import type { AppendOutcome } from '../../../commands/ports/event-log.ts';
import { toError } from '../log-fault.ts';
import { EXPECTED } from '../prepare-append.ts';
import type { PreparedAppend } from '../prepare-append.ts';
import type { BatchAppender, Sent } from './batch-appender.ts';
import type { KnownStream, KnownStreams } from './known-streams.ts';
import type { Reader } from './reader.ts';

/** How often a batch is decided anew because others moved its streams in between. */
const MOST_ROUNDS = 25;

type Verdict =
  | { readonly verdict: 'send'; readonly at: number }
  | { readonly verdict: 'repeated'; readonly revision: number }
  | { readonly verdict: 'conflict'; readonly actual: number };

/** A stream as it will be once what was judged to be sent has been written. */
class Outlook {
  readonly #known: KnownStream;
  readonly #added = new Map<string, number>();
  end: number;

  constructor(known: KnownStream) {
    this.#known = known;
    this.end = known.end;
  }

  #revisionOf(eventId: string): number | undefined {
    return this.#known.revisionOf(eventId) ?? this.#added.get(eventId);
  }

  judge({ events, expected }: PreparedAppend): Verdict {
    const places = events.map(({ eventId }) => this.#revisionOf(eventId));
    const first = places[0];
    if (first !== undefined && places.every((place, i) => place === first + i)) {
      return { verdict: 'repeated', revision: first + events.length - 1 };
    }
    const holds = expected === EXPECTED.any || (expected === EXPECTED.stream_exists && this.end >= 0) || expected === this.end;
    if (!holds || places.some((place) => place !== undefined)) return { verdict: 'conflict', actual: this.end };
    const at = this.end;
    for (const { eventId } of events) this.#added.set(eventId, (this.end += 1));
    return { verdict: 'send', at };
  }
}

const unknown = (cause: Error): AppendOutcome => ({ outcome: 'unknown', cause });
const conflict = (actual: number): AppendOutcome => ({ outcome: 'conflict', actual: actual < 0 ? 'no_stream' : actual });

export interface SettleDeps {
  readonly reader: Reader;
  readonly appender: BatchAppender;
  readonly streams: KnownStreams;
}

/**
 * Brings a batch to its outcomes. Each append is judged against what its stream is known to hold and to get by this very batch, then sent
 * with the exact revision that this makes, all in order and without waiting in between. Where the store disagrees with a judgement the
 * stream is read on and the rest of its appends are judged again.
 */
export const settle = async (appends: readonly PreparedAppend[], { reader, appender, streams }: SettleDeps): Promise<AppendOutcome[]> => {
  const outcomes = new Array<AppendOutcome | undefined>(appends.length);
  let open = appends.map((_, i) => i);

  /** Reads on what the appends' streams hold; those that cannot be read make their appends unknown, unsent. */
  const refresh = async (names: ReadonlySet<string>): Promise<void> => {
    const lost = new Map<string, Error>();
    await Promise.all([...names].map((name) => streams.refresh(name).catch((thrown: unknown) => void lost.set(name, toError(thrown)))));
    if (lost.size === 0) return;
    open = open.filter((i) => {
      const cause = lost.get((appends[i] as PreparedAppend).stream);
      if (cause !== undefined) outcomes[i] = unknown(cause);
      return cause === undefined;
    });
  };

  const judgeAll = (): Map<number, Verdict> => {
    const outlooks = new Map<string, Outlook>();
    return new Map(
      open.map((i) => {
        const append = appends[i] as PreparedAppend;
        const outlook = outlooks.get(append.stream) ?? new Outlook(streams.of(append.stream));
        outlooks.set(append.stream, outlook);
        return [i, outlook.judge(append)];
      }),
    );
  };

  const streamsOf = (places: readonly number[]): ReadonlySet<string> => new Set(places.map((i) => (appends[i] as PreparedAppend).stream));

  for (let round = 0; open.length > 0 && round < MOST_ROUNDS; round++) {
    await refresh(new Set([...streamsOf(open)].filter((name) => streams.of(name).isStale)));
    let verdicts = judgeAll();
    // That a stream is elsewhere is said only of the stream as it is now, not as it was known.
    const refused = open.filter((i) => verdicts.get(i)?.verdict === 'conflict');
    if (refused.length > 0 && round === 0) {
      await refresh(streamsOf(refused));
      verdicts = judgeAll();
    }

    const sends = open.map((i): Promise<Sent | undefined> => {
      const verdict = verdicts.get(i) as Verdict;
      return verdict.verdict === 'send' ? appender.send(appends[i] as PreparedAppend, verdict.at) : Promise.resolve(undefined);
    });
    const answers = await Promise.all(sends);

    const again: number[] = [];
    const broken = new Map<string, Error | 'moved'>();
    for (const [n, i] of open.entries()) {
      const append = appends[i] as PreparedAppend;
      const verdict = verdicts.get(i) as Verdict;
      const answer = answers[n];
      const isBroken = broken.get(append.stream);
      if (answer?.sent === 'appended') {
        streams.add(
          append.stream,
          append.events.map(({ eventId }) => eventId),
          answer.revision,
          answer.position,
        );
        outcomes[i] = { outcome: 'appended', revision: answer.revision, position: answer.position, repeated: false };
      } else if (answer?.sent === 'refused') {
        streams.of(append.stream).isStale = true;
        broken.set(append.stream, 'moved');
        outcomes[i] = { outcome: 'rejected', reason: answer.reason, message: answer.message };
      } else if (answer?.sent === 'unknown') {
        streams.of(append.stream).isStale = true;
        broken.set(append.stream, answer.cause);
        outcomes[i] = unknown(answer.cause);
      } else if (answer?.sent === 'conflict') {
        streams.of(append.stream).isStale = true;
        if (isBroken instanceof Error) outcomes[i] = unknown(isBroken);
        else {
          broken.set(append.stream, 'moved');
          again.push(i);
        }
      } else if (isBroken instanceof Error) outcomes[i] = unknown(isBroken);
      else if (isBroken === 'moved') again.push(i);
      else if (verdict.verdict === 'conflict') outcomes[i] = conflict(verdict.actual);
      else if (verdict.verdict === 'repeated') {
        const { revision } = verdict;
        const position =
          streams.of(append.stream).positionAt(revision) ?? (await reader.positionOf(append.stream, revision).catch(toError));
        outcomes[i] = position instanceof Error ? unknown(position) : { outcome: 'appended', revision, position, repeated: true };
      }
    }
    open = again;
  }
  streams.trim();
  return outcomes.map(
    (outcome) => outcome ?? { outcome: 'rejected', reason: 'log_busy', message: 'Others are appending to the same stream all the time.' },
  );
};
