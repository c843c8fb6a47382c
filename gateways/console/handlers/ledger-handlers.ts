import { refundCharge } from '../../../commands/ledger/refund-charge.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import type { JournalFilter } from '../../ports/console-reads.ts';
import { isAdministrator, type Caller } from '../caller.ts';
import { explainCharge } from '../charge-explanation.ts';
import type { Handlers } from '../handler.ts';
import { doneAt, givenRange, mayTouch, ownerOf, pageOf } from './audience.ts';
import type { HandlerDeps } from './handler-deps.ts';

type LedgerHandlers = Pick<
  Handlers,
  'listJournal' | 'exportJournal' | 'listLedgerAccounts' | 'readTrialBalance' | 'explainCharge' | 'refundCharge'
>;

type JournalAsked = Parameters<Handlers['exportJournal']>[0]['query'];

const NO_SUCH_CHARGE = refuse('not_found', 'There is no such charge.');

export const ledgerHandlers = (deps: HandlerDeps): LedgerHandlers => {
  const { reads, log } = deps;
  const filterOf = (caller: Caller, query: JournalAsked): JournalFilter | ReturnType<typeof refuse> => {
    const owner = ownerOf(caller, query);
    if (isRefusal(owner)) return owner;
    return {
      owner,
      range: givenRange(query),
      view: query.view ?? 'statement',
      kind: query.kind,
      account: query.account,
      requestId: query.requestId,
    };
  };

  return {
    listJournal: async ({ caller, query }) => {
      const filter = filterOf(caller, query);
      return isRefusal(filter) ? filter : reads.journal(filter, pageOf(query));
    },

    exportJournal: async ({ caller, query }) => {
      const filter = filterOf(caller, query);
      return isRefusal(filter) ? filter : { name: 'oblivious-journal.csv', rows: reads.journalRows(filter) };
    },

    listLedgerAccounts: async ({ caller, query }) => {
      const owner = ownerOf(caller, query);
      return isRefusal(owner) ? owner : reads.ledgerAccounts({ owner, prefix: query.prefix }, pageOf(query));
    },

    readTrialBalance: () => reads.trialBalance(),

    explainCharge: async ({ caller, params: { requestId } }) => {
      const detail = await reads.request(requestId);
      if (detail === null || !mayTouch(caller, detail.request.userId)) return NO_SUCH_CHARGE;
      const explained = await explainCharge(log, detail.leaseId, requestId);
      if (explained === null) return NO_SUCH_CHARGE;
      return isAdministrator(caller) ? explained : { ...explained, upstreamCost: null };
    },

    refundCharge: async ({ params: { requestId }, body, context }) => {
      const detail = await reads.request(requestId);
      if (detail === null) return NO_SUCH_CHARGE;
      const { userId } = detail.request;
      return doneAt(await refundCharge(deps, { userId, leaseId: detail.leaseId, requestId, ...body }, context(userId)));
    },
  };
};
