import { latencyAt, observe, type PeakEwma } from '../../domain/relay/peak-ewma.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { Stopwatch } from '../ports/stopwatch.ts';

/** What a channel is at, and how long it takes. Stays when its settings change: its calls do too. */
interface Load {
  inFlight: number;
  latency: PeakEwma | null;
}

/** How many calls of this process each channel is at, and how long they took lately. */
export class ChannelLoads {
  readonly #stopwatch: Stopwatch;
  readonly #loads = new Map<ChannelId, Load>();

  constructor(stopwatch: Stopwatch) {
    this.#stopwatch = stopwatch;
  }

  inFlight(channelId: ChannelId): number {
    return this.#loads.get(channelId)?.inFlight ?? 0;
  }

  /** `null`: nothing has been seen of it yet. */
  latencyMs(channelId: ChannelId): number | null {
    const latency = this.#loads.get(channelId)?.latency ?? null;
    return latency === null ? null : latencyAt(latency, this.#stopwatch.elapsed());
  }

  began(channelId: ChannelId): void {
    this.#of(channelId).inFlight++;
  }

  ended(channelId: ChannelId): void {
    this.#of(channelId).inFlight--;
  }

  took(channelId: ChannelId, ms: number): void {
    const load = this.#of(channelId);
    load.latency = observe(load.latency, ms, this.#stopwatch.elapsed());
  }

  #of(channelId: ChannelId): Load {
    let load = this.#loads.get(channelId);
    if (load === undefined) this.#loads.set(channelId, (load = { inFlight: 0, latency: null }));
    return load;
  }
}
