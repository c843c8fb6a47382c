import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import { sendJson, sendRefusal } from './answer.ts';
import type { Call, Caller } from './call.ts';

/**
 * Answers a call with what a desk gives for it. `nowhere` is said where there is no such desk; `null` or nothing is given for what has been
 * answered, or has nobody to answer any more.
 */
export const fromDesk =
  <Desk>(
    desk: Desk | null,
    nowhere: Refusal,
    work: (desk: Desk, call: Call, caller: Caller) => Promise<object | Refusal | null | void>,
  ): ((call: Call, caller: Caller) => Promise<void>) =>
  async (call, caller) => {
    const given = desk === null ? nowhere : await work(desk, call, caller);
    if (given === null || given === undefined) return;
    if (isRefusal(given)) sendRefusal(call, given);
    else sendJson(call, 200, given);
  };
