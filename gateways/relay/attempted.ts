import type { z } from 'zod';
import type { Refusal } from '../../schemas/errors.ts';
import type { Attempt } from '../../schemas/events/lease.ts';
import type { AttemptId } from '../../schemas/ids.ts';
import type { DirectoryChannel } from '../ports/directory.ts';
import type { UpstreamHeaders } from '../ports/upstream.ts';
import type { HubAnswer } from './hub-answer.ts';
import type { NativeForm } from './native/native-form.ts';
import type { StreamSource } from './opening.ts';
import type { ScannedAnswer } from './scan-answer.ts';

/** Who answers, and on which attempt. */
export interface Served {
  readonly channel: DirectoryChannel;
  readonly attemptId: AttemptId;
  readonly upstreamModel: string;
  /** It has begun to answer. */
  answered(): void;
  finish(outcome: z.infer<typeof Attempt>['outcome']): void;
}

export type Attempted =
  /** `native`: it is in the client's own dialect; `null`: in the hub's form. */
  | {
      readonly kind: 'plain';
      readonly served: Served;
      readonly contentType: string;
      readonly body: HubAnswer;
      readonly scanned: ScannedAnswer;
      readonly native: NativeForm | null;
    }
  | {
      readonly kind: 'stream';
      readonly served: Served;
      readonly contentType: string;
      readonly source: StreamSource;
      readonly native: NativeForm | null;
    }
  /** The upstream's own words on a fault of the caller's. */
  | {
      readonly kind: 'passed';
      readonly status: number;
      readonly headers: UpstreamHeaders;
      readonly body: Buffer;
      readonly native: NativeForm | null;
    }
  /** Nobody answered. `billed`: an upstream may charge us for it all the same. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly billed: boolean }
  /** `accepted`: who had begun to answer, and so has read the prompt. */
  | { readonly kind: 'interrupted'; readonly billed: boolean; readonly accepted: Served | null };
