import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { Tiktoken } from 'js-tiktoken/lite';
import olderRanks from 'js-tiktoken/ranks/cl100k_base';
import ranks from 'js-tiktoken/ranks/o200k_base';
import { generousTokens } from '../../../domain/tokens/approximate.ts';
import { tokenizerOf } from '../../../domain/tokens/tokenizer.ts';
import { countTexts } from '../../../infra/token-counter/count-texts.ts';
import { createTokenCounter } from '../../../infra/token-counter/token-counter.ts';

describe('counting tokens', () => {
  const encoder = new Tiktoken(ranks);
  const o200k = tokenizerOf('gpt-4o');
  const exact = (text: string): number => encoder.encode(text, [], []).length;

  it('is exact for ordinary text in any language', () => {
    const prose = 'The keeper counted every ship twice; “never once”, she said, and wrote 1 024 down.\n\n'.repeat(20);
    expect(countTexts(encoder, [prose, 'Größe', ''], o200k)).to.equal(exact(prose) + exact('Größe'));
    expect(countTexts(encoder, ['<|endoftext|>'], o200k)).to.equal(exact('<|endoftext|>'));
  });

  it('takes no time to speak of for runs without a break, which the tokeniser alone would take minutes for', function () {
    this.timeout(10_000);
    const began = performance.now();
    for (const run of ['a'.repeat(50_000), ' '.repeat(50_000), '好'.repeat(20_000)])
      expect(countTexts(encoder, [run], o200k)).to.be.greaterThan(1_000);
    expect(performance.now() - began).to.be.lessThan(5_000);
  });

  it('stays close to the exact count where it cuts', () => {
    const text = `see https://example.org/${'path/segment-'.repeat(12)} and ${'数据'.repeat(60)} end`;
    expect(countTexts(encoder, [text], o200k)).to.be.within(exact(text), exact(text) * 1.15);
  });

  it('goes by length beyond some hundred thousand characters', function () {
    this.timeout(20_000);
    const text = 'word '.repeat(200_000);
    expect(countTexts(encoder, [text], o200k)).to.be.within(150_000, 500_000);
  });

  it('happens in a thread of its own', async function () {
    this.timeout(20_000);
    const counter = createTokenCounter({ deadlineMs: 18_000 });
    const texts = ['The ledger', 'balances.'];
    expect(await counter.count(texts, 'gpt-4o')).to.equal(exact('The ledger') + exact('balances.'));
    await counter.close();
  });

  it('falls back on length when the thread dies or takes too long, and starts another for the next', async () => {
    const script = (code: string) => () => new Worker(code, { eval: true });
    const dying = createTokenCounter({
      startWorker: script(`require('node:worker_threads').parentPort.once('message', () => process.exit(1))`),
    });
    expect(await dying.count(['four letters each'], 'm')).to.equal(6);
    expect(await dying.count(['four'], 'm')).to.equal(2);
    await dying.close();
    const silent = createTokenCounter({
      deadlineMs: 50,
      startWorker: script(
        `const { parentPort } = require('node:worker_threads'); parentPort.on('message', () => {}); parentPort.postMessage('o200k_base')`,
      ),
    });
    expect(await Promise.all([silent.count(['four letters each'], 'm'), silent.count(['好好'], 'm')])).to.deep.equal([6, 2]);
    await silent.close();
  });

  it('does not wait for the tables to be loaded longer than for a count, and uses them once they are', async () => {
    const code = `const { parentPort } = require('node:worker_threads');
      const asked = [];
      parentPort.on('message', (message) => asked.push(message));
      setTimeout(() => { parentPort.postMessage('o200k_base'); for (const { id } of asked) parentPort.postMessage({ id, tokens: 42 }); parentPort.on('message', ({ id }) => parentPort.postMessage({ id, tokens: 42 })); }, 300);`;
    const slow = createTokenCounter({ deadlineMs: 100, startWorker: () => new Worker(code, { eval: true }) });
    expect(await slow.count(['four letters each'], 'm')).to.equal(6);
    let counted = 0;
    while (counted !== 42) counted = await slow.count(['four'], 'm');
    await slow.close();
  });

  it('counts each family with its own vocabulary, which is loaded when it is first needed', async function () {
    this.timeout(30_000);
    const older = new Tiktoken(olderRanks);
    const text = 'Größere Beträge werden überprüft, und каждый корабль занесён в книгу: 1024 + 77.';
    const counter = createTokenCounter({ deadlineMs: 25_000 });
    const o = exact(text);
    expect(await counter.count([text], 'gpt-4-turbo')).to.equal(older.encode(text, [], []).length);
    expect(await counter.count([text], 'gpt-5-mini')).to.equal(o);
    expect(await counter.count([text], 'claude-opus-4-7')).to.equal(Math.ceil(o * 1.35));
    expect(await counter.count([text], 'us.anthropic.claude-sonnet-4-5-20250929-v1:0')).to.equal(Math.ceil(o * 1.1));
    await counter.close();
  });

  it('goes by length at once where too much waits already', async () => {
    const counter = createTokenCounter({
      waitingCharacters: 100,
      deadlineMs: 10_000,
      startWorker: () =>
        new Worker(
          `const { parentPort } = require('node:worker_threads');
           let first = null;
           parentPort.on('message', ({ id }) => { if (first === null) first = id; else for (const one of [first, id]) parentPort.postMessage({ id: one, tokens: 42 }); });`,
          { eval: true },
        ),
    });
    const waits = counter.count(['x'.repeat(90)], 'm');
    const long = 'a long text that has to wait';
    expect(await counter.count([long], 'm')).to.equal(generousTokens(long));
    expect(await Promise.all([waits, counter.count(['short'], 'm')])).to.deep.equal([42, 42]);
    await counter.close();
  });

  it('takes as long for any script', function () {
    this.timeout(20_000);
    const began = performance.now();
    expect(countTexts(encoder, ['船入港，账目已清。'.repeat(60_000)], o200k)).to.be.greaterThan(100_000);
    expect(performance.now() - began).to.be.lessThan(8_000);
  });
});
