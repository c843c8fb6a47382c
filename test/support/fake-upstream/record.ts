import { closeSync, openSync, writeSync } from 'node:fs';

/**
 * How a call ended, as the provider saw it.
 * - `running`: it has not ended.
 * - `complete`: everything was handed to the connection, and the connection took it.
 * - `client_gone`: the caller hung up before that.
 * - `failed`: the script made it fail (an error status, a reset, an early end, garbage, …).
 */
export type CallOutcome = 'running' | 'complete' | 'client_gone' | 'failed';

/** One call as the provider keeps it: the other half of what a ledger claims. */
export interface RecordedCall {
  /** Counts from 1 in order of arrival. */
  readonly n: number;
  /** The `id` of the answer (`chatcmpl-fake-…`) and its `x-request-id`. */
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The key of the `Authorization: Bearer` header. */
  readonly key: string | undefined;
  readonly model: string;
  readonly stream: boolean;
  /** The request's bytes as they arrived. */
  readonly body: Buffer;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  endedAt: number | undefined;
  outcome: CallOutcome;
  /** 0 while no status line was sent. */
  status: number;
  /** Events of a stream that were sent. */
  chunks: number;
  /** What the provider bills: nothing for an error, what was produced by then for a call that broke off. */
  billed: { promptTokens: number; completionTokens: number };
  /** How the call was scripted to fail, if at all. */
  failure: string | undefined;
}

/** A recorded call as one line of JSON. */
export function recordLine(call: RecordedCall): string {
  return `${JSON.stringify({ ...call, body: call.body.toString('base64') })}\n`;
}

/** Reads back the lines that {@link recordLine} wrote; of a call written twice the later line counts. */
export function parseRecord(lines: string): RecordedCall[] {
  const calls = new Map<number, RecordedCall>();
  for (const line of lines.split('\n')) {
    // The last line may be cut short by the death of its writer.
    if (!line.endsWith('}')) continue;
    const call = JSON.parse(line) as Omit<RecordedCall, 'body'> & { body: string };
    calls.set(call.n, { ...call, endedAt: call.endedAt, failure: call.failure, body: Buffer.from(call.body, 'base64') });
  }
  return [...calls.values()];
}

interface Waiter {
  readonly wanted: (call: RecordedCall) => boolean;
  readonly resolve: (call: RecordedCall) => void;
}

/** Everything the fake provider was asked, in order of arrival. */
export class CallRecord {
  readonly calls: RecordedCall[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #fd: number | undefined;

  constructor(file: string | undefined) {
    this.#fd = file === undefined ? undefined : openSync(file, 'a');
  }

  began(call: RecordedCall): void {
    this.calls.push(call);
    this.#changed(call);
  }

  ended(call: RecordedCall, outcome: CallOutcome): void {
    if (call.outcome !== 'running') return;
    call.outcome = outcome;
    call.endedAt = Date.now();
    this.#changed(call);
  }

  /** Resolves with the first call, past or coming, for which `wanted` holds; asked again at every change. */
  when(wanted: (call: RecordedCall) => boolean): Promise<RecordedCall> {
    const known = this.calls.find(wanted);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => this.#waiters.add({ wanted, resolve }));
  }

  /** Tells those who wait that a call moved on (its chunk count, say) without writing it down. */
  progressed(call: RecordedCall): void {
    for (const waiter of this.#waiters) {
      if (!waiter.wanted(call)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(call);
    }
  }

  clear(): void {
    this.calls.length = 0;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }

  #changed(call: RecordedCall): void {
    // One write per line, straight to the kernel: it is there however this process ends.
    if (this.#fd !== undefined) writeSync(this.#fd, recordLine(call));
    this.progressed(call);
  }
}
