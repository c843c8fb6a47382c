import { parsedJson } from '../dialects/parsed-json.ts';

/** A value as a body. */
export const asJson = (value: object): Buffer => Buffer.from(JSON.stringify(value));

/** A body as the value that it should be; `null` where it is no JSON. */
export const jsonIn = (body: Buffer): unknown => parsedJson(body.toString('utf8'));
