/** For what reports to the program log and whose words no test looks at; `KAFKA_TEST_LOG` shows them. */
const write = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
  if (process.env['KAFKA_TEST_LOG'] !== undefined)
    process.stderr.write(`${new Date().toISOString()} ${message} ${JSON.stringify(fields, plain)}\n`);
};

const plain = (_: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Error ? value.message : value;
};

export const silentLog = { error: write, warn: write, info: write, debug: write };
