import type { z } from 'zod';
import type { Refusal } from '../../schemas/errors.ts';
import type { ParkedDetail, ParkedPage } from '../../schemas/http/projections.ts';
import type { WorkerList } from '../../schemas/http/workers.ts';

/** What operators see of workers, and do with what they have parked. */
export interface WorkerCare {
  status(): Promise<z.output<typeof WorkerList>>;
  /** Units that a worker has done of what it has in hand of these streams, by stream. */
  progress(worker: string, streams: readonly string[]): Promise<ReadonlyMap<string, number>>;
  parked(
    filter: { readonly worker?: string | undefined },
    page: { readonly cursor: string | undefined; readonly limit: number },
  ): Promise<z.output<typeof ParkedPage>>;
  parkedEvent(parkedId: string): Promise<z.output<typeof ParkedDetail> | Refusal>;
  /** It is tried again soon, by whichever process is free, with all its attempts before it. */
  retryParked(parkedId: string): Promise<null | Refusal>;
  discardParked(parkedId: string): Promise<null | Refusal>;
}
