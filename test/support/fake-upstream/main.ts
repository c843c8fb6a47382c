import { parseArgs } from 'node:util';
import { startFakeUpstream } from './server.ts';
import { fakeScriptSchema } from './script.ts';

/**
 * The fake provider as a process of its own, for tests with more than one:
 * `node --import tsx test/support/fake-upstream/main.ts --record calls.jsonl --script '{"tokens":100}'`.
 * Prints `{"port":…,"baseUrl":…}` as one line once it listens, and ends with its standard input, so that it never outlives its test.
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    record: { type: 'string' },
    script: { type: 'string', default: '{}' },
    models: { type: 'string' },
    'keep-running': { type: 'boolean', default: false },
  },
});

const upstream = await startFakeUpstream({
  port: Number(values.port),
  script: fakeScriptSchema.parse(JSON.parse(values.script)),
  ...(values.record === undefined ? {} : { recordFile: values.record }),
  ...(values.models === undefined ? {} : { models: values.models.split(',') }),
});
process.stdout.write(`${JSON.stringify({ port: upstream.port, baseUrl: upstream.baseUrl })}\n`);

const end = (): void => void upstream.close().then(() => process.exit(0));
process.once('SIGTERM', end);
process.once('SIGINT', end);
if (!values['keep-running']) process.stdin.resume().once('end', end).once('error', end);
