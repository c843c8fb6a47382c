import { expect } from 'chai';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deliveryWorker } from '../../../commands/notifications/delivery-worker.ts';
import { notificationsWorker } from '../../../commands/notifications/notifications-worker.ts';
import { dollars } from '../../../domain/ledger/money.ts';
import { createEgressGuard } from '../../../infra/egress/guard.ts';
import { parseEgressPolicy, type EgressPolicy } from '../../../infra/egress/policy.ts';
import { signedWebhook, type ClosableWebhook } from '../../../infra/webhook/signed-webhook.ts';
import { webhookSignature } from '../../../infra/webhook/webhook-signature.ts';
import { workerCare } from '../../../infra/workers/worker-care.ts';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import type { ReadModelDatabase } from '../../../projections/ports/read-model-database.ts';
import { UserId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { commandBench, type CommandBench } from '../../support/command-bench.ts';
import { wallClock } from '../../support/projecting.ts';
import { emptyReadModels } from '../../support/read-models.ts';
import { done } from '../../support/refused.ts';
import { startWorking, type Working } from '../../support/working.ts';

const ann = UserId.parse('usr_ann');
const SECRET = 'a secret that both of them know';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('notifications on their way out', function () {
  this.timeout(120_000);
  let models: ReadModels;
  let bench: CommandBench;
  let receiver: Server;
  let webhook: ClosableWebhook;
  let received: Received[];
  let answer: (nth: number) => number;
  const running: Working[] = [];

  beforeEach(async () => {
    models = await emptyReadModels();
    bench = commandBench();
    received = [];
    answer = () => 204;
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
        response.statusCode = answer(received.length);
        response.end(response.statusCode >= 400 ? 'not today' : undefined);
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    webhook = to('loopback');
    await bench.book.execute(ann, { kind: 'openAccount', timeZone: 'UTC' }, bench.context());
    await bench.book.execute(ann, { kind: 'grantCredit', amount: dollars(5), source: 'admin', reason: '' }, bench.context());
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((working) => working.stop()));
    await webhook.close();
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  });

  const to = (allowed: string): ClosableWebhook =>
    signedWebhook({
      url: new URL(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/told`),
      secret: SECRET,
      guard: createEgressGuard(parseEgressPolicy(allowed) as EgressPolicy),
      clock: wallClock,
    });
  const start = (database: ReadModelDatabase = models.database): Working => {
    const workers = [
      { ...notificationsWorker({ ...bench, lowBalance: dollars(1) }), from: 'start' as const },
      { ...deliveryWorker({ ...bench, webhook }), from: 'start' as const },
    ];
    const working = startWorking({ log: bench.log, database, workers });
    running.push(working);
    return working;
  };
  const runLow = async (): Promise<void> =>
    void done(
      await bench.book.execute(ann, { kind: 'adjustCredit', amount: (-dollars(4) - 1n) as Money, reason: 'spent' }, bench.context()),
    );
  const told = (type: string): number => bench.log.events.filter((event) => event.type === type).length;
  const parked = async () =>
    (
      await workerCare({ workers: [], feed: bench.log, database: models.database, clock: wallClock }).parked(
        {},
        { cursor: undefined, limit: 10 },
      )
    ).rows;

  it('are posted once, signed, under the notification’s own id', async () => {
    await runLow();
    await start().until('it is delivered', () => told('NotificationDelivered') === 1);
    expect(received).to.have.length(1);
    const { headers, body } = received[0] as Received;
    const message = JSON.parse(body) as { readonly notificationId: string };
    expect(message).to.deep.include({
      type: 'notification.raised',
      audience: { kind: 'user', userId: ann },
      tidings: { kind: 'low_balance', userId: ann, balance: '999999999', threshold: '1000000000' },
    });
    expect(headers['webhook-id']).to.equal(message.notificationId);
    const seconds = Number(headers['webhook-timestamp']);
    expect(Math.abs(Date.now() / 1_000 - seconds)).to.be.lessThan(120);
    expect(headers['webhook-signature']).to.equal(webhookSignature(SECRET, message.notificationId, seconds, body));
    expect(headers['webhook-signature']).to.not.equal(webhookSignature(`${SECRET}!`, message.notificationId, seconds, body));
  });

  it('are posted again until the receiver takes them', async () => {
    answer = (nth) => (nth < 3 ? 503 : 200);
    await runLow();
    await start().until('it is delivered', () => told('NotificationDelivered') === 1);
    expect(received.map(({ headers }) => headers['webhook-id'])).to.deep.equal(Array(3).fill(received[0]?.headers['webhook-id']));
    expect(bench.eventsOf('notification').at(-1)?.data).to.include({ attempts: 3 });
  });

  it('are parked when the receiver never does, and delivered when an operator tries again', async () => {
    answer = () => 500;
    await runLow();
    const working = start();
    await working.until('it is parked', async () => (await parked()).length === 1);
    expect((await parked())[0]).to.include({
      worker: 'notification-delivery',
      attempts: 3,
      error: 'upstream_failed: the receiver answered 500: not today',
    });
    answer = () => 200;
    const care = workerCare({ workers: [], feed: bench.log, database: models.database, clock: wallClock });
    await care.retryParked((await parked())[0]?.parkedId ?? '');
    await working.until('it is delivered', () => told('NotificationDelivered') === 1);
  });

  it('go nowhere that the egress rules do not allow', async () => {
    await webhook.close();
    webhook = to('none');
    await runLow();
    await start().until('it is parked', async () => (await parked()).length === 1);
    expect(received).to.deep.equal([]);
    expect((await parked())[0]?.error).to.include('127.0.0.1 is in a private or reserved range');
  });

  it('are raised once when a process dies after it raised one and before it could say how far it was', async () => {
    await runLow();
    let dead = false;
    const dying: ReadModelDatabase = {
      ...models.database,
      transaction: (work, options) => {
        // The first one makes the tables; from the raised notification on, nothing of this process reaches the database any more.
        if (told('NotificationRaised') > 0) dead = true;
        return dead ? Promise.reject(new Error('dead')) : models.database.transaction(work, options);
      },
    };
    const first = start(dying);
    await first.until('it died', () => dead);
    await running.pop()?.stop();
    const second = start();
    await second.until('it is delivered', () => told('NotificationDelivered') === 1);
    expect(second.counts.filter((count) => count === 'notifications done').length).to.be.greaterThan(0);
    expect(told('NotificationRaised')).to.equal(1);
    expect(received).to.have.length(1);
  });
});
