import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SCRIPT = resolve(import.meta.dirname, '../../../infra/build/kafka.sh');
const FETCH_TIMEOUT_MS = 600_000;

/** An Apache Kafka broker in the user's cache. */
export interface KafkaJars {
  readonly folder: string;
  /** What `java` takes to run it. The order is that in which its classes were archived. */
  readonly javaArguments: readonly string[];
}

/** The broker that the project pins, fetched from Maven Central where it is not in the cache yet. */
export function kafkaJars(): KafkaJars {
  const fetched = spawnSync(SCRIPT, { encoding: 'utf8', timeout: FETCH_TIMEOUT_MS });
  if (fetched.status !== 0) {
    throw new Error(
      'These tests need a real Kafka broker and could not get one. Set TEST_KAFKA_BROKERS to a cluster whose topics may be created, or ' +
        `install Java 17 and Maven.\n${fetched.stderr}`,
    );
  }
  const folder = fetched.stdout.trim();
  const jars = readdirSync(folder)
    .filter((name) => name.endsWith('.jar'))
    .sort()
    .map((name) => join(folder, name));
  const archive = join(folder, 'classes.jsa');
  return {
    folder,
    javaArguments: [...(existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : []), '-cp', `${jars.join(':')}:`],
  };
}
