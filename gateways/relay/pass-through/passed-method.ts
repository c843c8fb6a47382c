import type { Request } from 'express';
import { behindVersion } from './passed-address.ts';
import { costsNothing, isKeptThere, type PassedPrice } from './passed-price.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof METHODS)[number];

/** `undefined`: it is not passed on. */
export const methodOf = ({ method }: Request): Method | undefined => METHODS.find((each) => each === method);

/** What it asks for stands in its address alone. */
export const isBodiless = (method: Method): boolean => method === 'GET' || method === 'HEAD' || method === 'DELETE';

/** Asks for nothing to be made. */
export const isFree = (method: Method, rest: string): boolean => isBodiless(method) || (method === 'POST' && costsNothing(rest));

const LISTS = /^models(?:\/[^:]*)?$/;

/** Whether a channel that is open to calls only is open to this. */
export const isOfCalls = (method: Method, rest: string, price: PassedPrice | null): boolean => {
  if (method === 'GET' || method === 'HEAD') return LISTS.test(behindVersion(rest));
  if (method !== 'POST' || isKeptThere(rest)) return false;
  return price === null ? !/cancel$/.test(rest) : price.byUsage;
};
