import { expect } from 'chai';
import fc from 'fast-check';
import { AccountBook } from '../../../commands/ledger/account-book.ts';
import { refundCharge, type RefundCharge } from '../../../commands/ledger/refund-charge.ts';
import { runCommand } from '../../../commands/run-command.ts';
import { tokenOf, tokenStream, type TokenCommand } from '../../../domain/token/token.ts';
import { isRefusal } from '../../../schemas/errors.ts';
import { KeyHash, UNRESTRICTED } from '../../../schemas/events/token.ts';
import { LeaseId, RequestId, UserId } from '../../../schemas/ids.ts';
import { checkAsync } from '../../ledger/seed.ts';
import { charge, context, money, openLedger, tokenId, userId, type LedgerRig } from './ledger-rig.ts';

const charged = async (
  amount: number,
): Promise<{ rig: LedgerRig; refund: (value: number, changes?: Partial<RefundCharge>, commandId?: string) => Promise<string> }> => {
  const rig = await openLedger({ credit: 10_000 });
  const hold = await rig.hold(amount);
  await rig.keeper.charge(hold, charge(amount));
  await rig.keeper.stop();
  const book = new AccountBook(rig.log, rig.appender);
  return {
    rig,
    refund: async (value, changes = {}, commandId = undefined) => {
      const wanted: RefundCharge = {
        userId,
        leaseId: hold.leaseId,
        requestId: hold.requestId,
        amount: money(value),
        reason: 'test',
        ...changes,
      };
      const answer = await refundCharge({ log: rig.log, appender: rig.appender, book }, wanted, context(commandId));
      return isRefusal(answer) ? answer.refused : 'refunded';
    },
  };
};

describe('refunding a charge', () => {
  it('gives back all of it or parts of it', async () => {
    const { rig, refund } = await charged(100);
    expect(await refund(30)).to.equal('refunded');
    expect(await refund(70)).to.equal('refunded');
    expect(await refund(1)).to.equal('exceeds_charge');
    expect(rig.events('ChargeRefunded').map(({ amount, model }) => [amount, model])).to.deep.equal([
      [30n, 'm'],
      [70n, 'm'],
    ]);
  });

  it('opens a key again that its quota had closed, also where it was refunded before the key was opened', async () => {
    const { rig, refund } = await charged(100);
    const token = (command: TokenCommand): Promise<unknown> =>
      runCommand(rig.log, rig.appender, tokenStream(tokenId), tokenOf(tokenId), command, context());
    const reopened = (): number => rig.events('TokenRestored').length;
    await token({
      kind: 'issue',
      userId,
      name: 'laptop',
      keyHash: KeyHash.parse('a'.repeat(64)),
      keyPrefix: 'sk-a',
      expiresAt: null,
      restrictions: UNRESTRICTED,
    });
    await rig.command({ kind: 'setCap', scope: { kind: 'key', tokenId }, window: 'total', amount: money(100) });
    await token({ kind: 'exhaust' });
    rig.interfere = ({ stream }) => (stream === tokenStream(tokenId) ? { outcome: 'unknown', cause: new Error('cut') } : undefined);
    expect(await refund(50, {}, 'r1')).to.equal('log_unavailable');
    expect(reopened()).to.equal(0);
    rig.interfere = () => undefined;
    expect(await refund(50, {}, 'r1')).to.equal('refunded');
    expect(reopened()).to.equal(1);
    expect(rig.events('ChargeRefunded').map((event) => event.tokenId)).to.deep.equal([tokenId]);
    expect(await refund(50)).to.equal('refunded');
    expect(reopened()).to.equal(1);
  });

  it('is done once under one id', async () => {
    const { rig, refund } = await charged(100);
    expect(await refund(100, {}, 'r1')).to.equal('refunded');
    expect(await refund(100, {}, 'r1')).to.equal('refunded');
    expect(await refund(99, {}, 'r1')).to.equal('idempotency_conflict');
    expect(rig.events('ChargeRefunded')).to.have.length(1);
  });

  it('finds no charge that is not there, or is another user’s', async () => {
    const { refund } = await charged(100);
    expect(await refund(1, { requestId: RequestId.parse('req_none') })).to.equal('not_found');
    expect(await refund(1, { leaseId: LeaseId.parse('lse_none') })).to.equal('not_found');
    expect(await refund(1, { userId: UserId.parse('usr_2') })).to.equal('not_found');
  });

  it('says so when the log is away', async () => {
    const { rig, refund } = await charged(100);
    rig.log.cut();
    expect(await refund(1)).to.equal('log_unavailable');
  });

  it('17. never comes to more than the charge, however many ask at once', () =>
    checkAsync(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.integer({ min: -5, max: 120 }), { minLength: 1, maxLength: 12 }),
        async (amount, wanted) => {
          const { rig, refund } = await charged(amount);
          const answers = await Promise.all(wanted.map((value) => refund(value)));
          const given = rig.events('ChargeRefunded').reduce((sum, event) => sum + event.amount, 0n);
          expect(given <= BigInt(amount)).to.equal(true);
          expect(given).to.equal(
            wanted.filter((_, index) => answers[index] === 'refunded').reduce((sum, value) => sum + BigInt(value), 0n),
          );
          // Whoever was refused asked for nothing, or for more than was left.
          for (const [index, value] of wanted.entries())
            if (answers[index] === 'exceeds_charge') expect(BigInt(value) > BigInt(amount) - given).to.equal(true);
        },
      ),
      60,
    ));
});
