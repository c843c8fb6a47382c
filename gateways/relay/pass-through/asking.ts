import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import type { DirectoryChannel } from '../../ports/directory.ts';
import type { Call, Caller } from '../call.ts';
import type { RelayDeps } from '../relay-deps.ts';
import { mappedBy } from '../upstream-address.ts';
import type { PassedAddress } from './passed-address.ts';
import { receive, saysJson } from './passed-body.ts';
import { isBodiless, isFree, type Method } from './passed-method.ts';
import { namedModel, passedJson, priceOf, type NamedModel, type PassedPrice } from './passed-price.ts';

/** What a call asks of a provider by the provider's own address. */
export interface Asking {
  readonly method: Method;
  readonly address: PassedAddress;
  readonly named: NamedModel | null;
  /** `null`: it costs nothing. */
  readonly price: PassedPrice | null;
  /** `null`: there is none, or it comes by itself. */
  readonly body: Buffer | null;
}

/** Reads it, and says what it costs. `open`: the channels that it may go to. `left`: the client did. */
export const readAsking = async (
  { directory, limits }: Pick<RelayDeps, 'directory' | 'limits'>,
  call: Call,
  caller: Caller,
  method: Method,
  address: PassedAddress,
  open: readonly DirectoryChannel[],
): Promise<Asking | Refusal | 'left'> => {
  if (isBodiless(method)) return { method, address, named: null, price: null, body: null };
  const { provider, rest } = address;
  const body = await receive(limits, call, address);
  if (body === 'left') return body;
  if (isRefusal(body)) return body;
  const json = body !== null && body.length > 0 && saysJson(call.req) ? passedJson(body, limits) : null;
  if (isRefusal(json)) return json;
  const named = namedModel(rest, json);
  if (isRefusal(named)) return named;
  if (isFree(method, rest)) return { method, address, named, price: null, body };
  const served = named !== null && open.some(({ settings }) => mappedBy(settings, named.name) !== null) ? named.name : null;
  const price = priceOf(directory, caller, provider.id, rest, served, body, json);
  return isRefusal(price) ? price : { method, address, named, price, body };
};
