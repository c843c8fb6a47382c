import { openEventStoreLog } from '../../../infra/event-log/eventstoredb/open-eventstore-log.ts';
import { describeEventLog } from '../../conformance/event-log.ts';
import type { LogCut, LogSubject } from '../../conformance/event-log.ts';
import { startCuttingProxy } from '../../support/cutting-proxy.ts';
import type { CutPhase, CuttingProxy } from '../../support/cutting-proxy.ts';
import type { AppendFault } from '../../support/eventstoredb/faults.ts';
import { startEventStoreServer } from '../../support/eventstoredb/server.ts';

/** What only an append holds among the requests: the content type of its events. */
const CONTENT_TYPE = Buffer.from('application/json');

/** So early do readers with a filter come up by the server's filter that some tests take that way and some the other. */
const SETTINGS = { appendMs: 1_500, pollMs: 200, catchUpBytes: 16_384n };

const cutsOf = (proxy: CuttingProxy, written: Readonly<Partial<Record<CutPhase, LogCut['written']>>>): LogCut[] =>
  (Object.keys(written) as CutPhase[]).map((phase) => ({
    name: phase,
    written: written[phase] as LogCut['written'],
    arm: async () => proxy.arm(phase, (data) => data.includes(CONTENT_TYPE)),
  }));

const onTheWire = async (): Promise<LogSubject> => {
  const server = await startEventStoreServer();
  const proxy = await startCuttingProxy({ host: '127.0.0.1', port: server.port });
  const log = await openEventStoreLog({ ...SETTINGS, connectionString: `esdb://127.0.0.1:${proxy.port}?tls=false` });
  const fault = (name: AppendFault, written: LogCut['written']): LogCut => ({
    name,
    written,
    arm: async () => server.faults.armAppend(name),
  });
  return {
    log,
    another: () => openEventStoreLog({ ...SETTINGS, connectionString: server.connectionString }),
    cuts: [
      ...cutsOf(proxy, { 'before-request': 'never', 'mid-request': 'never', 'after-request': 'perhaps', 'before-answer': 'perhaps' }),
      fault('cut-before', 'never'),
      fault('cut-after', 'always'),
      fault('end-before', 'never'),
      fault('error-before', 'never'),
      fault('silent-before', 'never'),
      fault('silent-after', 'always'),
      fault('not-leader', 'never'),
      fault('refused', 'never'),
    ],
    restart: async (meanwhile) => {
      await server.stop();
      await meanwhile();
      await server.start();
    },
    close: async () => {
      await log.close();
      await proxy.close();
      await server.close();
    },
  };
};

/** A server of one node, without TLS or with a certificate for the loopback; every run leaves its events in it. */
const onRealServer = (connectionString: string) => async (): Promise<LogSubject> => {
  const [, host = '', port = ''] = /^esdb:\/\/(?:[^@]*@)?([^:,/?]+):(\d+)/.exec(connectionString) ?? [];
  if (port === '') throw new Error('EVENTSTORE_URL must name one node with its port: esdb://host:2113?…');
  const proxy = await startCuttingProxy({ host, port: Number(port) });
  const proxied = connectionString.replace(`${host}:${port}`, `127.0.0.1:${proxy.port}`);
  const log = await openEventStoreLog({ ...SETTINGS, connectionString: proxied });
  return {
    log,
    another: () => openEventStoreLog({ ...SETTINGS, connectionString }),
    cuts: cutsOf(proxy, { 'before-request': 'never', 'mid-request': 'never', 'after-request': 'perhaps', 'before-answer': 'perhaps' }),
    restart: async (meanwhile) => {
      proxy.cutAll();
      await meanwhile();
    },
    close: async () => {
      await log.close();
      await proxy.close();
    },
  };
};

// What a server in this very process holds is only its memory: a shorter stream says as much of the adapter.
describeEventLog('EventStoreDB, on the wire', onTheWire, { gapless: false, longStream: 20_000 });

const realServer = process.env['EVENTSTORE_URL'];
if (realServer !== undefined && realServer !== '') {
  describeEventLog('EventStoreDB, a real server', onRealServer(realServer), { gapless: false });
}
