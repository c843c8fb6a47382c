import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Endpoint as Door } from '../../schemas/events/token.ts';
import type { KeyUse } from './authenticate.ts';
import type { Call, Caller } from './call.ts';

/** An answer that costs nothing: whoever has a key may look. `door`: what the key must be for; `null`: anything. */
export type LookRoute = (
  routeName: string,
  door: z.infer<typeof Door> | null,
  answer: (call: Call, caller: Caller) => Promise<void> | void,
  use?: KeyUse,
) => (req: Request, res: Response) => void;
