import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { Tiktoken } from 'js-tiktoken/lite';
import ranks from 'js-tiktoken/ranks/o200k_base';
import { countTexts } from '../../../infra/token-counter/count-texts.ts';
import { createTokenCounter } from '../../../infra/token-counter/token-counter.ts';

describe('counting tokens', () => {
  const encoder = new Tiktoken(ranks);
  const exact = (text: string): number => encoder.encode(text, [], []).length;

  it('is exact for ordinary text in any language', () => {
    const prose = 'The keeper counted every ship twice; “never once”, she said, and wrote 1 024 down.\n\n'.repeat(20);
    expect(countTexts(encoder, [prose, 'Größe', ''])).to.equal(exact(prose) + exact('Größe'));
    expect(countTexts(encoder, ['<|endoftext|>'])).to.equal(exact('<|endoftext|>'));
  });

  it('takes no time to speak of for runs without a break, which the tokeniser alone would take minutes for', function () {
    this.timeout(10_000);
    const began = performance.now();
    for (const run of ['a'.repeat(50_000), ' '.repeat(50_000), '好'.repeat(20_000)])
      expect(countTexts(encoder, [run])).to.be.greaterThan(1_000);
    expect(performance.now() - began).to.be.lessThan(5_000);
  });

  it('stays close to the exact count where it cuts', () => {
    const text = `see https://example.org/${'path/segment-'.repeat(12)} and ${'数据'.repeat(60)} end`;
    expect(countTexts(encoder, [text])).to.be.within(exact(text), exact(text) * 1.15);
  });

  it('goes by length beyond some hundred thousand characters', function () {
    this.timeout(20_000);
    const text = 'word '.repeat(200_000);
    expect(countTexts(encoder, [text])).to.be.within(150_000, 300_000);
  });

  it('happens in a thread of its own', async function () {
    this.timeout(20_000);
    const counter = createTokenCounter({ deadlineMs: 18_000 });
    const texts = ['The ledger', 'balances.'];
    expect(await counter.count(texts)).to.equal(exact('The ledger') + exact('balances.'));
    await counter.close();
  });

  it('falls back on length when the thread dies or takes too long, and starts another for the next', async () => {
    const script = (code: string) => () => new Worker(code, { eval: true });
    const dying = createTokenCounter({
      startWorker: script(`require('node:worker_threads').parentPort.once('message', () => process.exit(1))`),
    });
    expect(await dying.count(['four letters each'])).to.equal(5);
    expect(await dying.count(['four'])).to.equal(1);
    await dying.close();
    const silent = createTokenCounter({
      deadlineMs: 50,
      startWorker: script(
        `const { parentPort } = require('node:worker_threads'); parentPort.on('message', () => {}); parentPort.postMessage('ready')`,
      ),
    });
    expect(await Promise.all([silent.count(['four letters each']), silent.count(['好好'])])).to.deep.equal([5, 2]);
    await silent.close();
  });

  it('does not wait for the tables to be loaded longer than for a count, and uses them once they are', async () => {
    const code = `const { parentPort } = require('node:worker_threads');
      const asked = [];
      parentPort.on('message', (message) => asked.push(message));
      setTimeout(() => { parentPort.postMessage('ready'); for (const { id } of asked) parentPort.postMessage({ id, tokens: 42 }); parentPort.on('message', ({ id }) => parentPort.postMessage({ id, tokens: 42 })); }, 300);`;
    const slow = createTokenCounter({ deadlineMs: 100, startWorker: () => new Worker(code, { eval: true }) });
    expect(await slow.count(['four letters each'])).to.equal(5);
    let counted = 0;
    while (counted !== 42) counted = await slow.count(['four']);
    await slow.close();
  });
});
