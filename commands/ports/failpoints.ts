/**
 * Named places between two steps of the ledger where a crash harness kills the process. Does nothing unless the harness
 * armed one; the names are part of the tests' contract.
 */
export interface Failpoints {
  hit(
    name:
      | 'lease.granted'
      | 'reservation.enqueued'
      | 'reservation.durable'
      | 'debit.enqueued'
      | 'debit.durable'
      | 'lease.closed'
      | 'lease.settled',
  ): void;
}
