import { expect } from 'chai';
import { callStream, claimIdempotencyKey, type IdempotencyClaim } from '../../../commands/calls/claim-idempotency-key.ts';
import { RequestId, TokenId } from '../../../schemas/ids.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { eachOnItsOwn } from '../../ledger/simulation/scheduled-log.ts';

let count = 0;
const claim = (changes: Partial<IdempotencyClaim> = {}): IdempotencyClaim => ({
  tokenId: TokenId.parse('key_1'),
  key: 'order-42',
  payloadHash: 'a'.repeat(64),
  requestId: RequestId.parse(`req_${++count}`),
  occurredAt: '2026-01-01T00:00:00.000Z',
  ...changes,
});

const attempt = async (log: MemoryLog, changes?: Partial<IdempotencyClaim>): Promise<string> =>
  (await claimIdempotencyKey(log, eachOnItsOwn(log), claim(changes)))?.refused ?? 'claimed';

describe('claiming an idempotency key', () => {
  it('belongs to whoever comes first; a repeat and a misuse are told apart', async () => {
    const log = memoryLog();
    expect(await attempt(log)).to.equal('claimed');
    expect(await attempt(log)).to.equal('idempotency_spent');
    expect(await attempt(log, { payloadHash: 'b'.repeat(64) })).to.equal('idempotency_conflict');
    expect(log.events).to.have.length(1);
  });

  it('is won by one of a hundred at once', async () => {
    const log = memoryLog();
    const answers = await Promise.all(Array.from({ length: 100 }, () => attempt(log)));
    expect(answers.filter((answer) => answer === 'claimed')).to.have.length(1);
    expect(answers.filter((answer) => answer === 'idempotency_spent')).to.have.length(99);
  });

  it('keeps the keys of clients apart, whatever they are called', async () => {
    const log = memoryLog();
    expect(await attempt(log)).to.equal('claimed');
    expect(await attempt(log, { tokenId: TokenId.parse('key_2') })).to.equal('claimed');
    expect(await attempt(log, { key: 'order-43' })).to.equal('claimed');
    expect(callStream(TokenId.parse('key_1'), 'x\ny')).to.not.equal(callStream(TokenId.parse('key_1'), 'x'));
  });

  it('leaves no word of the key in the log, and takes any text as one', async () => {
    const log = memoryLog();
    const key = `secret ${'☃'.repeat(300)} \n\0`;
    expect(await attempt(log, { key })).to.equal('claimed');
    expect(JSON.stringify(log.events, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).to.not.include(
      'secret',
    );
  });

  it('is one claim when its answer was lost and it is sent again', async () => {
    const log = memoryLog();
    const asked = claim();
    log.loseNextAnswer(true);
    expect((await claimIdempotencyKey(log, eachOnItsOwn(log), asked))?.refused).to.equal('log_unavailable');
    expect(await claimIdempotencyKey(log, eachOnItsOwn(log), asked)).to.equal(null);
    expect(log.events).to.have.length(1);
  });

  it('is refused when the log is away, also when somebody has it already', async () => {
    const log = memoryLog();
    await attempt(log);
    log.cut();
    expect(await attempt(log)).to.equal('log_unavailable');
    const appender = { append: () => Promise.resolve({ outcome: 'conflict', actual: 0 } as const) };
    expect((await claimIdempotencyKey(log, appender, claim()))?.refused).to.equal('log_unavailable');
  });
});
