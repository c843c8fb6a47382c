import type { ResponsesWords } from './endpoints/chat.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';
import type { Pinned } from './spending-route.ts';
import type { TaskAsked } from './tasks/task-asked.ts';
import type { Upload } from './upload.ts';

/** What is known of a call before it is parsed. */
export interface UnparsedCall {
  readonly body: Buffer;
  /** Of which `body` is what is held; `null`: nothing is passed on while it comes. */
  readonly upload: Upload | null;
  readonly inHubForm: Buffer;
  readonly responses: ResponsesWords | undefined;
  readonly parsed: ParsedRequest | undefined;
  readonly pinned: Pinned | undefined;
  readonly task: TaskAsked | null;
}
