import { setTimeout as pause } from 'node:timers/promises';
import { openPostgresLog } from '../../../../infra/event-log/postgres/open-postgres-log.ts';
import { startTestBridge } from '../bridge-setting.ts';
import type { BridgePlace } from '../bridge-setting.ts';

/** A process that runs a bridge until it is killed: `main NAME PLACE`, the place as JSON. It writes `acting` or `waiting` whenever that changes. */
const [name, place] = process.argv.slice(2) as [string, string];

const { databaseUrl, ...rest } = JSON.parse(place) as BridgePlace;
const log = await openPostgresLog({ connectionString: databaseUrl });
const bridge = startTestBridge({ ...rest, databaseUrl }, log, name);
for (let last = ''; ;) {
  const state = (await bridge.figure('oblivious_bridge_active')) === 1 ? 'acting' : 'waiting';
  if (state !== last) process.stdout.write(`${state}\n`);
  last = state;
  await pause(10);
}
