import { randomBytes } from 'node:crypto';
import { onTeardown } from '../teardown.ts';
import { startKafka } from './kafka-cluster.ts';

/** A place of one test on the run's shared Kafka. */
export interface TestKafka {
  /** Addresses of brokers, with commas between them. */
  readonly brokers: string;
  /** To begin the names of topics and groups with, so that no other test meets them. */
  readonly prefix: string;
}

let shared: Promise<string> | undefined;

async function start(): Promise<string> {
  const given = process.env['TEST_KAFKA_BROKERS'];
  if (given !== undefined && given !== '') return given;
  const cluster = await startKafka();
  onTeardown(async () => {
    shared = undefined;
    await cluster.stop();
  });
  return cluster.addresses;
}

/**
 * The run's shared broker, started on first use: the cluster of `TEST_KAFKA_BROKERS`, else one broker of our own. Never skips: where it
 * cannot be had it throws what to install.
 */
export async function testKafka(): Promise<TestKafka> {
  shared ??= start();
  return { brokers: await shared, prefix: `test-${randomBytes(5).toString('hex')}.` };
}
