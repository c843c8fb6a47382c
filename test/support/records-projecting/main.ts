import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import { startFollowing } from './following.ts';

/** A projector in a process of its own, to be killed: `main.ts <brokers> <prefix> <database> <name>`. */
const [brokers = '', prefix = '', databaseUrl = '', name = ''] = process.argv.slice(2);
const feed = await openPostgresLog({ connectionString: databaseUrl });
const { reports } = await startFollowing({ brokers, prefix, databaseUrl, feed, name });
process.stdout.write('started\n');
setInterval(() => void reports.length, 1_000);
