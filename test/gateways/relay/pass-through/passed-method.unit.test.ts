import { expect } from 'chai';
import { isBodiless, isFree, isOfCalls, methodOf } from '../../../../gateways/relay/pass-through/passed-method.ts';
import type { PassedPrice } from '../../../../gateways/relay/pass-through/passed-price.ts';
import type { Request } from 'express';

const BY_USAGE = { byUsage: true } as PassedPrice;
const BY_CALL = { byUsage: false } as PassedPrice;

describe('the method of a call that is passed on', () => {
  it('is one of those that are taken', () => {
    expect(methodOf({ method: 'PATCH' } as Request)).to.equal('PATCH');
    for (const method of ['TRACE', 'CONNECT', 'get', 'OPTIONS']) expect(methodOf({ method } as Request), method).to.equal(undefined);
  });

  it('makes nothing where it has no body, or only counts or calls off', () => {
    for (const method of ['GET', 'HEAD', 'DELETE'] as const)
      expect([isBodiless(method), isFree(method, 'v1/x')]).to.deep.equal([true, true]);
    for (const method of ['POST', 'PUT', 'PATCH'] as const)
      expect([isBodiless(method), isFree(method, 'v1/x')]).to.deep.equal([false, false]);
    expect(isFree('POST', 'v1/messages/count_tokens')).to.equal(true);
    expect(isFree('PUT', 'v1/messages/count_tokens'), 'a PUT makes something').to.equal(false);
  });

  it('says with the address whether a channel that is open to calls only is open to it', () => {
    expect(isOfCalls('GET', 'v1/models', null)).to.equal(true);
    expect(isOfCalls('HEAD', 'v1/models/one', null)).to.equal(true);
    expect(isOfCalls('GET', 'v1/files', null)).to.equal(false);
    expect(isOfCalls('DELETE', 'v1/models/one', null)).to.equal(false);
    expect(isOfCalls('POST', 'v1/classify', BY_USAGE)).to.equal(true);
    expect(isOfCalls('POST', 'v1/classify', BY_CALL), 'nobody knows what it does').to.equal(false);
    expect(isOfCalls('POST', 'v1/files', BY_USAGE), 'it would be kept there').to.equal(false);
    expect(isOfCalls('POST', 'v1/messages/count_tokens', null)).to.equal(true);
    expect(isOfCalls('POST', 'v1/responses/one/cancel', null)).to.equal(false);
  });
});
