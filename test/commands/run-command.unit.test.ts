import { expect } from 'chai';
import { runCommand, digestOf, type CommandResult } from '../../commands/run-command.ts';
import type { Appender } from '../../commands/ports/appender.ts';
import type { AppendOutcome } from '../../commands/ports/event-log.ts';
import { accountOf, accountStream, type Account, type AccountCommand } from '../../domain/ledger/account.ts';
import { isRefusal, type Refusal } from '../../schemas/errors.ts';
import { eachOnItsOwn } from '../ledger/simulation/scheduled-log.ts';
import { memoryLog, type MemoryLog } from '../support/memory-log.ts';
import { context, money, userId } from './ledger/ledger-rig.ts';

const credit = (amount: number): AccountCommand => ({ kind: 'grantCredit', amount: money(amount), source: 'card', reason: 'x' });
const run = (
  log: MemoryLog,
  command: AccountCommand,
  commandId?: string,
  expectedRevision?: number,
  appender: Appender = eachOnItsOwn(log),
): Promise<CommandResult<Account> | Refusal> =>
  runCommand(log, appender, accountStream(userId), accountOf(userId), command, context(commandId), expectedRevision);
const refusal = (answer: CommandResult<Account> | Refusal): string => (isRefusal(answer) ? answer.refused : 'none');
const opened = async (): Promise<MemoryLog> => {
  const log = memoryLog();
  await run(log, { kind: 'openAccount', timeZone: 'UTC' });
  return log;
};
const answering = (log: MemoryLog, ...first: AppendOutcome[]): Appender => ({
  append: async (append) => first.shift() ?? ((await log.append([append]))[0] as AppendOutcome),
});

describe('running a command', () => {
  it('appends what was decided and answers with the state after it', async () => {
    const log = await opened();
    const answer = await run(log, credit(5), 'c1');
    if (isRefusal(answer)) throw new Error(answer.message);
    expect(answer.state.wallet).to.equal(5n);
    expect(answer.revision).to.equal(1);
    expect(answer.position).to.equal(log.events.at(-1)!.position);
    expect(log.events.at(-1)!.metadata).to.include({ commandId: 'c1', payloadDigest: digestOf(credit(5)) });
  });

  it('refuses without a trace, and does nothing when nothing is to do', async () => {
    const log = await opened();
    expect(refusal(await run(log, credit(0)))).to.equal('invalid_request');
    expect(await run(log, { kind: 'setCap', scope: { kind: 'user' }, window: 'day', amount: null })).to.include({
      position: null,
      revision: 0,
    });
    expect(log.events).to.have.length(1);
  });

  it('6. answers a known id as the first time, and refuses it with another payload', async () => {
    const log = await opened();
    await run(log, credit(5), 'c1');
    await run(log, credit(6), 'c2');
    const again = await run(log, credit(5), 'c1');
    expect(isRefusal(again) || again.position).to.equal(log.events[1]!.position);
    expect(refusal(await run(log, credit(7), 'c1'))).to.equal('idempotency_conflict');
    expect(log.events).to.have.length(3);
  });

  it('decides anew when somebody else came first, and gives up after a few times', async () => {
    const log = await opened();
    const conflict: AppendOutcome = { outcome: 'conflict', actual: 0 };
    expect(refusal(await run(log, credit(5), 'c1', undefined, answering(log, conflict, conflict)))).to.equal('none');
    expect(refusal(await run(log, credit(5), 'c2', undefined, answering(log, ...Array.from({ length: 20 }, () => conflict))))).to.equal(
      'conflict',
    );
  });

  it('holds to the revision that the caller had seen', async () => {
    const log = await opened();
    expect(refusal(await run(log, credit(5), 'c1', 1))).to.equal('revision_mismatch');
    expect(refusal(await run(log, credit(5), 'c1', -1)), 'somebody who found nothing').to.equal('revision_mismatch');
    expect(refusal(await run(memoryLog(), { kind: 'openAccount', timeZone: 'UTC' }, 'c0', -1))).to.equal('none');
    expect(refusal(await run(log, credit(5), 'c1', 0))).to.equal('none');
    expect(refusal(await run(log, credit(5), 'c2', 1, answering(log, { outcome: 'conflict', actual: 2 })))).to.equal('revision_mismatch');
    // A repeat is a repeat, whatever revision it names.
    expect(refusal(await run(log, credit(5), 'c1', 0))).to.equal('none');
  });

  it('is done once when its answer was lost', async () => {
    const log = await opened();
    log.loseNextAnswer(true);
    expect(refusal(await run(log, credit(5), 'c1'))).to.equal('log_unavailable');
    expect(refusal(await run(log, credit(5), 'c1'))).to.equal('none');
    expect(log.events).to.have.length(2);
  });

  it('refuses when the log is away or at its limit', async () => {
    const log = await opened();
    expect(
      refusal(await run(log, credit(5), 'c1', undefined, answering(log, { outcome: 'rejected', reason: 'log_busy', message: 'x' }))),
    ).to.equal('log_busy');
    expect(
      refusal(await run(log, credit(5), 'c1', undefined, answering(log, { outcome: 'rejected', reason: 'event_too_large', message: 'x' }))),
    ).to.equal('invalid_request');
    log.cut();
    expect(refusal(await run(log, credit(5), 'c1'))).to.equal('log_unavailable');
  });
});
