import type { ChargeRequest, Hold, ReleaseRequest, ReserveRequest, Spending } from '../../../gateways/ports/spending.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { LeaseId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';

export interface Reservation {
  readonly request: ReserveRequest;
  readonly hold: Hold;
  readonly charges: ChargeRequest[];
  readonly releases: ReleaseRequest[];
}

/** Spending that keeps everything it is asked, and does what the test wants it to. */
export class RecordingSpending implements Spending {
  readonly reservations: Reservation[] = [];
  /** What is left to hold; calls are refused, or get less, as a real account would. */
  balance = 1_000_000_000_000n as Money;
  /** Resolves reservations when the test says so; `null`: at once. */
  durable: (() => Promise<Refusal | null>) | null = null;
  chargeDurable: (() => Promise<Refusal | null>) | null = null;
  /** Called as soon as a charge is asked for, before anything is durable. */
  onCharge: () => void = () => undefined;
  reserveLater = false;

  reserve(request: ReserveRequest): Hold | Refusal | Promise<Hold | Refusal> {
    const hold = this.#reserve(request);
    return this.reserveLater ? Promise.resolve(hold) : hold;
  }

  #reserve(request: ReserveRequest): Hold | Refusal {
    if (request.least > this.balance) return refuse('insufficient_quota');
    const amount = request.amount < this.balance ? request.amount : this.balance;
    this.balance = (this.balance - amount) as Money;
    const hold: Hold = {
      requestId: request.requestId,
      leaseId: 'lse_test' as LeaseId,
      amount,
      durable: this.durable?.() ?? Promise.resolve(null),
    };
    this.reservations.push({ request, hold, charges: [], releases: [] });
    return hold;
  }

  async charge(hold: Hold, charge: ChargeRequest): Promise<Refusal | { readonly amount: Money }> {
    const reservation = this.#open(hold);
    reservation.charges.push(charge);
    this.onCharge();
    const refusal = (await hold.durable) ?? (await this.chargeDurable?.()) ?? null;
    if (refusal !== null) return refusal;
    const amount = charge.computed < hold.amount ? charge.computed : hold.amount;
    this.balance = (this.balance + hold.amount - amount) as Money;
    return { amount };
  }

  release(hold: Hold, release: ReleaseRequest): Promise<Refusal | null> {
    const reservation = this.#open(hold);
    reservation.releases.push(release);
    this.balance = (this.balance + hold.amount) as Money;
    return Promise.resolve(null);
  }

  #open(hold: Hold): Reservation {
    const reservation = this.reservations.find((each) => each.hold === hold);
    if (reservation === undefined) throw new Error('no such hold');
    if (reservation.charges.length + reservation.releases.length > 0) throw new Error('the hold has ended already');
    return reservation;
  }

  get last(): Reservation {
    return this.reservations[this.reservations.length - 1] as Reservation;
  }

  get charges(): readonly ChargeRequest[] {
    return this.reservations.flatMap(({ charges }) => charges);
  }

  get releases(): readonly ReleaseRequest[] {
    return this.reservations.flatMap(({ releases }) => releases);
  }

  get unended(): number {
    return this.reservations.filter(({ charges, releases }) => charges.length + releases.length === 0).length;
  }
}
