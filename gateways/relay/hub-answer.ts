import { asJson, jsonIn } from './upstreams/json-bytes.ts';

/**
 * A whole answer in the hub's form: bytes of an upstream that speaks it; or what another dialect's came to, as a value of which bytes are made only
 * where somebody wants those. What was told never changes.
 */
export type HubAnswer = Buffer | Readonly<Record<string, unknown>>;

/** As a client of the hub's form gets it. */
export const bytesOfAnswer = (answer: HubAnswer): Buffer => (Buffer.isBuffer(answer) ? answer : asJson(answer));

/** As it is read; `null` where an upstream's bytes are no JSON. */
export const valueOfAnswer = (answer: HubAnswer): unknown => (Buffer.isBuffer(answer) ? jsonIn(answer) : answer);
