import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { z } from 'zod';
import { freePort } from '../free-port.ts';
import { brokerSettings, propertiesOf, type BrokerPlace } from '../kafka/broker-settings.ts';
import { kafkaJars } from '../kafka/kafka-jars.ts';
import type { Place, Service } from './service.ts';
import type { Environment } from './services.ts';

const IDS = [1, 2, 3] as const;
const VARIABLE = 'SERVICES_KAFKA_PORT';
/** The brokers listen on this and the next two ports, their controllers a hundred above. */
const USUAL = 19_092;
const CONTROLLERS_ABOVE = 100;
const MEMORY = ['-Xmx256m', '-Xms64m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** What the brokers have to agree on before the first of them starts. */
const Plan = z.object({
  clusterId: z.string(),
  asked: z.string(),
  brokers: z.array(z.object({ id: z.int(), port: z.int(), controllerPort: z.int() })),
});
type Plan = z.infer<typeof Plan>;

const planOf = async (home: string, environment: Environment): Promise<Plan> => {
  const folder = join(home, 'kafka');
  const file = join(folder, 'plan.json');
  const asked = environment[VARIABLE] ?? String(USUAL);
  const before = existsSync(file) ? Plan.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
  if (before?.asked === asked) return before;
  const first = Number(asked);
  const brokers: Plan['brokers'] = [];
  for (const id of IDS) {
    brokers.push(
      first === 0
        ? { id, port: await freePort(), controllerPort: await freePort() }
        : { id, port: first + id - 1, controllerPort: first + CONTROLLERS_ABOVE + id - 1 },
    );
  }
  // Ids that begin with a dash are taken for options.
  const clusterId = before?.clusterId ?? `A${randomBytes(16).toString('base64url').slice(1)}`;
  const plan = { clusterId, asked, brokers };
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify(plan));
  return plan;
};

/** Three brokers of one cluster, each a controller too. */
export const kafkaServices = async (home: string, environment: Environment): Promise<readonly Service[]> => {
  const { clusterId, brokers } = await planOf(home, environment);
  const places: readonly BrokerPlace[] = brokers.map((broker) => ({ ...broker, dataDir: join(home, `kafka-${broker.id}`, 'data') }));
  return places.map((place) => ({
    name: `kafka-${place.id}`,
    title: `Kafka ${place.id}`,
    ports: [
      { variable: VARIABLE, usual: place.port, decided: true },
      { variable: VARIABLE, usual: place.controllerPort, decided: true },
    ],
    stopSignal: 'SIGTERM',
    prepare: ({ folder }) => {
      const { javaArguments } = kafkaJars();
      const settings = join(folder, 'server.properties');
      writeFileSync(settings, propertiesOf(brokerSettings(place, places)));
      if (!existsSync(join(place.dataDir, 'meta.properties'))) {
        rmSync(place.dataDir, { recursive: true, force: true });
        const made = spawnSync('java', [...javaArguments, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', settings], {
          encoding: 'utf8',
        });
        if (made.status !== 0) throw new Error(`Formatting Kafka's storage failed:\n${made.stdout}\n${made.stderr}`);
      }
      return { file: 'java', args: [...MEMORY, ...javaArguments, 'kafka.Kafka', settings] };
    },
    check: async ({ ports }) => {
      const admin = new Kafka({
        brokers: [`127.0.0.1:${String(ports[0])}`],
        logLevel: logLevel.NOTHING,
        retry: { retries: 0 },
      }).admin();
      try {
        await admin.connect();
        const cluster = await admin.describeCluster();
        if (cluster.brokers.length < IDS.length) throw new Error(`it knows ${cluster.brokers.length} of ${IDS.length} brokers`);
      } finally {
        await admin.disconnect();
      }
    },
  }));
};

export const kafkaBrokers = (places: readonly Place[]): string => places.map(({ ports }) => `127.0.0.1:${String(ports[0])}`).join(',');
