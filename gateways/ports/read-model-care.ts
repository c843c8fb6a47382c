import type { z } from 'zod';
import type { Refusal } from '../../schemas/errors.ts';
import type { ParkedDetail, ParkedPage, ProjectionCompared, ProjectionList, RebuildStarted } from '../../schemas/http/projections.ts';

/** What operators do to read models. Work on one projection at a time; a second is refused with `wrong_state`. */
export interface ReadModelCare {
  status(): Promise<z.output<typeof ProjectionList>>;
  /** Answers as soon as the rebuild has begun; `status` tells how far it is. */
  rebuild(name: string): Promise<z.output<typeof RebuildStarted> | Refusal>;
  compare(name: string): Promise<z.output<typeof ProjectionCompared> | Refusal>;
  parked(
    filter: { readonly projection?: string | undefined },
    page: { readonly cursor: string | undefined; readonly limit: number },
  ): Promise<z.output<typeof ParkedPage>>;
  parkedEvent(parkedId: string): Promise<z.output<typeof ParkedDetail> | Refusal>;
  /** Tries the whole stream again; `wrong_state` says what still cannot be applied. */
  retryParked(parkedId: string): Promise<null | Refusal>;
  /** `wrong_state` when the next event of its stream cannot be applied either; the one that was named is gone all the same. */
  discardParked(parkedId: string): Promise<null | Refusal>;
}
