import { expect } from 'chai';
import fc from 'fast-check';
import { convertRequest, renameModel, vectorsAsBase64 } from '../../../gateways/relay/convert.ts';
import { bytesOfAnswer } from '../../../gateways/relay/hub-answer.ts';
import { scanObject } from '../../../gateways/relay/json-spans.ts';
import { parse } from '../../../gateways/relay/endpoints/endpoints.ts';
import type { ParsedChat } from '../../../gateways/relay/endpoints/chat.ts';
import type { ParsedEmbeddings } from '../../../gateways/relay/endpoints/embeddings.ts';
import { DEFAULT_RELAY_LIMITS } from '../../../gateways/relay/relay-limits.ts';
import { done, refused } from '../../support/refused.ts';
import { check } from '../../ledger/seed.ts';

const parsed = (text: string, endpoint: 'chat' | 'embeddings' = 'chat'): ParsedChat | ParsedEmbeddings =>
  done(parse(Buffer.from(text), endpoint, DEFAULT_RELAY_LIMITS)) as ParsedChat | ParsedEmbeddings;
const refusal = (body: string | Buffer, endpoint: 'chat' | 'embeddings' = 'chat') =>
  refused(parse(Buffer.from(body), endpoint, DEFAULT_RELAY_LIMITS));
const converted = (text: string, upstreamModel = 'm', loweredOutput: number | null = null): string =>
  convertRequest(parsed(text), { upstreamModel, loweredOutput }).toString();

const MESSAGES = '"messages":[{"role":"user","content":"hi"}]';

describe('a request on its way to the upstream', () => {
  it('is the client’s own bytes where nothing must differ', () => {
    const text = `{ "messages" : [ {"role":"user","content":"hi \\u00e9"} ],\n "model":"m", "unknown":{"deep":[1.0,2e3]} }`;
    const request = parsed(text);
    expect(convertRequest(request, { upstreamModel: 'm', loweredOutput: null })).to.equal(request.body);
  });

  it('gets the upstream’s name for the model, and nothing else changes', () => {
    expect(converted(`{"x":"model", "model" : "m" ,${MESSAGES}}`, 'other/"name"')).to.equal(
      `{"x":"model", "model" : "other/\\"name\\"" ,${MESSAGES}}`,
    );
  });

  it('asks for usage of a stream, however the client wrote its options', () => {
    expect(converted(`{"model":"m","stream":true,${MESSAGES}}`)).to.equal(
      `{"stream_options":{"include_usage":true},"model":"m","stream":true,${MESSAGES}}`,
    );
    expect(converted(`{"model":"m","stream":true,"stream_options":null,${MESSAGES}}`)).to.equal(
      `{"model":"m","stream":true,"stream_options":{"include_usage":true},${MESSAGES}}`,
    );
    expect(converted(`{"model":"m","stream":true,"stream_options":{ },${MESSAGES}}`)).to.equal(
      `{"model":"m","stream":true,"stream_options":{"include_usage":true },${MESSAGES}}`,
    );
    expect(converted(`{"model":"m","stream":true,"stream_options":{"include_obfuscation":false},${MESSAGES}}`)).to.equal(
      `{"model":"m","stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false},${MESSAGES}}`,
    );
    expect(converted(`{"model":"m","stream":true,"stream_options":{"x":1,"include_usage": false},${MESSAGES}}`)).to.equal(
      `{"model":"m","stream":true,"stream_options":{"x":1,"include_usage": true},${MESSAGES}}`,
    );
    for (const untouched of [
      `{"model":"m","stream":true,"stream_options":{"include_usage":true},${MESSAGES}}`,
      `{"model":"m","stream":false,${MESSAGES}}`,
      `{"model":"m",${MESSAGES}}`,
    ]) {
      expect(converted(untouched)).to.equal(untouched);
    }
  });

  it('is limited to what the hold covers, in the field that the client used or the model takes', () => {
    expect(converted(`{"model":"m","max_tokens":900,${MESSAGES}}`, 'm', 100)).to.equal(`{"model":"m","max_tokens":100,${MESSAGES}}`);
    expect(converted(`{"model":"m","max_completion_tokens":900,"max_tokens":50,${MESSAGES}}`, 'm', 100)).to.equal(
      `{"model":"m","max_completion_tokens":100,"max_tokens":50,${MESSAGES}}`,
    );
    expect(converted(`{"model":"m",${MESSAGES}}`, 'm', 100)).to.equal(`{"max_tokens":100,"model":"m",${MESSAGES}}`);
    expect(converted(`{"model":"m","max_tokens":null,${MESSAGES}}`, 'm', 100)).to.equal(`{"model":"m","max_tokens":100,${MESSAGES}}`);
    expect(converted(`{"model":"m",${MESSAGES}}`, 'gpt-5', 100)).to.equal(`{"max_completion_tokens":100,"model":"gpt-5",${MESSAGES}}`);
  });

  it('stays the same JSON but for what was changed on purpose', () => {
    const known = fc.record(
      {
        model: fc.constant('m'),
        messages: fc.constant([{ role: 'user', content: 'hi' }]),
        stream: fc.boolean(),
        stream_options: fc.option(fc.dictionary(fc.constantFrom('include_usage', 'x'), fc.boolean())),
        max_tokens: fc.option(fc.integer({ min: 1, max: 9_999 })),
        n: fc.constantFrom(1, 2),
      },
      { requiredKeys: ['model', 'messages'] },
    );
    const unknown = fc.dictionary(
      fc.string({ minLength: 1, maxLength: 10 }).map((name) => `x_${name.toLowerCase()}`),
      fc.jsonValue({ maxDepth: 2 }),
      { maxKeys: 4 },
    );
    check(
      fc.property(known, unknown, fc.option(fc.integer({ min: 1, max: 9_999 })), (some, more, lowered) => {
        const before = { ...more, ...some };
        const after = JSON.parse(converted(JSON.stringify(before), 'theirs', lowered)) as Record<string, unknown>;
        const expected: Record<string, unknown> = { ...JSON.parse(JSON.stringify(before)), model: 'theirs' };
        if (some.stream === true) expected['stream_options'] = { ...some.stream_options, include_usage: true };
        if (lowered !== null) expected['max_tokens'] = Math.min(lowered, some.max_tokens ?? lowered);
        expect(after).to.deep.equal(expected);
      }),
    );
  });
});

describe('an answer on its way back', () => {
  it('has the name that the client knows the model by', () => {
    const renamed = (json: string): string => {
      const answer = Buffer.from(json);
      return String(bytesOfAnswer(renameModel(answer, scanObject(answer, ['model']).spans[0] ?? null, 'ours')));
    };
    expect(renamed('{"id":"model","model": "theirs-2024","x":{"model":"y"}}')).to.equal('{"id":"model","model": "ours","x":{"model":"y"}}');
    expect(renamed('{"id":1}')).to.equal('{"id":1}');
    expect(JSON.stringify(renameModel({ id: 'model', model: 'theirs-2024', x: 1 }, null, 'ours'))).to.equal(
      '{"id":"model","model":"ours","x":1}',
    );
    expect(renameModel({ id: 1 }, null, 'ours')).to.deep.equal({ id: 1 });
  });

  it('has vectors as base64 where numbers came', () => {
    const answer = Buffer.from(
      '{"object":"list","data":[{"object":"embedding","index":0,"embedding": [0.5,-1]},{"index":1,"embedding":[2]}],"model":"e","usage":{"prompt_tokens":1}}',
    );
    const made = JSON.parse(vectorsAsBase64(answer).toString()) as { data: { embedding: string; index: number }[]; usage: unknown };
    expect(made.data.map(({ embedding }) => [...new Float32Array(Uint8Array.from(Buffer.from(embedding, 'base64')).buffer)])).to.deep.equal(
      [[0.5, -1], [2]],
    );
    expect(made.usage).to.deep.equal({ prompt_tokens: 1 });
    const already = Buffer.from('{"data":[{"embedding":"AAAA"}]}');
    expect(vectorsAsBase64(already)).to.equal(already);
  });
});

describe('a request that is not taken', () => {
  it('is told what is wrong with it', () => {
    expect(refusal('')).to.deep.include({ refused: 'invalid_json' });
    expect(refusal('{"model":')).to.deep.include({ refused: 'invalid_json' });
    expect(refusal(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).to.deep.include({
      refused: 'invalid_json',
      message: 'The body is not valid UTF-8.',
    });
    expect(refusal('[]')).to.deep.include({ refused: 'invalid_request' });
    expect(refusal(`{${MESSAGES}}`)).to.deep.include({ refused: 'invalid_request', param: 'model' });
    expect(refusal(`{"model":"","messages":[]}`)).to.deep.include({ refused: 'invalid_request', param: 'model' });
    expect(refusal(`{"model":"m","messages":"hi"}`)).to.deep.include({ refused: 'invalid_request', param: 'messages' });
    expect(refusal(`{"model":"m","max_tokens":-5,${MESSAGES}}`)).to.deep.include({ refused: 'invalid_request', param: 'max_tokens' });
    expect(refusal(`{"model":"m","max_tokens":1e300,${MESSAGES}}`)).to.deep.include({ refused: 'invalid_request', param: 'max_tokens' });
    expect(refusal(`{"model":"m","n":1000,${MESSAGES}}`)).to.deep.include({ refused: 'invalid_request', param: 'n' });
    expect(refusal(`{"model":"a","model":"b",${MESSAGES}}`)).to.deep.include({ refused: 'invalid_json', param: 'model' });
    expect(refusal(`{"model":"a","Model":"b",${MESSAGES}}`)).to.deep.include({ refused: 'invalid_request', param: 'Model' });
    expect(refusal(`{"model":"a","service_tier":"priority",${MESSAGES}}`)).to.deep.include({
      refused: 'invalid_request',
      param: 'service_tier',
    });
    expect(refusal(`{"model":"m","messages":${'['.repeat(100_000)}`)).to.deep.include({
      refused: 'invalid_json',
      message: 'The body is nested deeper than 128 levels.',
    });
    expect(refusal('{"model":"m","input":[]}', 'embeddings')).to.deep.include({ refused: 'invalid_request', param: 'input' });
    expect(refusal('{"model":"m","input":"x","encoding_format":"hex"}', 'embeddings')).to.deep.include({
      refused: 'invalid_request',
      param: 'encoding_format',
    });
  });

  it('quotes nothing of the body back', () => {
    expect(refusal('{"secret sk-1234567890": oops}').message).not.to.contain('secret');
  });

  it('leaves no trace on objects', () => {
    const request = parsed(`{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"model":"m",${MESSAGES}}`);
    expect(request.request.model).to.equal('m');
    expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
  });
});
