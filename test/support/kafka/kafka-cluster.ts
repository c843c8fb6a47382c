import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { watchForDeath } from '../deathwatch.ts';
import type { Deathwatch } from '../deathwatch.ts';
import { freePort } from '../free-port.ts';
import { tailOf } from '../postgres-logs.ts';
import { brokerSettings, propertiesOf } from './broker-settings.ts';
import type { BrokerPlace } from './broker-settings.ts';
import { kafkaJars } from './kafka-jars.ts';
import type { KafkaJars } from './kafka-jars.ts';

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 25;
const READY = 'Kafka Server started';
const MEMORY = ['-Xmx256m', '-Xms64m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Kills the brokers that still work in their folders under `$1`, and removes it. */
const CLEAN_UP = `
for dir in "$1"/broker-*; do
  pid=$(cat "$dir/pid" 2>/dev/null)
  [ -n "$pid" ] || continue
  if [ ! -e /proc/self/cwd ] || [ "$(readlink "/proc/$pid/cwd")" = "$dir" ]; then kill -KILL "$pid" 2>/dev/null; fi
done
sleep 0.1
rm -rf "$1"
`;

const LOGGING = `<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders><Console name="out"><PatternLayout pattern="%d{HH:mm:ss.SSS} %-5p %c{1}: %m%n"/></Console></Appenders>
  <Loggers><Root level="INFO"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
`;

export interface KafkaOptions {
  /** How many brokers, each a controller too; one unless given. */
  readonly brokers?: 1 | 3;
  /** Extra broker settings, e.g. `{ 'message.max.bytes': '2000' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Who may log in by SCRAM. */
  readonly scram?: { readonly user: string; readonly password: string };
}

/** One broker of a test's own cluster. */
export interface KafkaBroker {
  readonly id: number;
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** `SIGKILL` unless told otherwise; resolves when it is gone. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Stops it in its tracks: connections stay open and nothing answers, until {@link thaw}. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port and data, after killing it if it runs. Resolves when it serves. */
  restart(): Promise<void>;
}

export interface KafkaCluster {
  /** All addresses, with commas between them. */
  readonly addresses: string;
  readonly brokers: readonly KafkaBroker[];
  /** Stops all of it and removes the data. Safe to call twice. */
  stop(): Promise<void>;
}

class Broker implements KafkaBroker {
  readonly id: number;
  readonly address: string;
  readonly #folder: string;
  readonly #jars: KafkaJars;
  #process: ChildProcess | undefined;
  #starts = 0;

  constructor(place: BrokerPlace, folder: string, jars: KafkaJars) {
    this.id = place.id;
    this.address = `127.0.0.1:${place.port}`;
    this.#folder = folder;
    this.#jars = jars;
  }

  async start(): Promise<void> {
    const log = join(this.#folder, `log-${(this.#starts += 1)}.txt`);
    const fd = openSync(log, 'a', 0o600);
    const settings = join(this.#folder, 'server.properties');
    const logging = `-Dlog4j2.configurationFile=${join(this.#folder, 'log4j2.xml')}`;
    const broker = spawn('java', [...MEMORY, ...this.#jars.javaArguments, logging, 'kafka.Kafka', settings], {
      cwd: this.#folder,
      env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
      // A session of its own: the Ctrl-C that ends the tests must not end the broker under them.
      detached: true,
      stdio: ['ignore', fd, fd],
    });
    broker.unref();
    closeSync(fd);
    let failure: string | undefined;
    broker.once('error', (error) => (failure = error.message));
    broker.once('exit', (code, signal) => (failure = `it ended with ${signal ?? `code ${code ?? 'unknown'}`}`));
    this.#process = broker;
    if (broker.pid !== undefined) writeFileSync(join(this.#folder, 'pid'), String(broker.pid));
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!readFileSync(log, 'utf8').includes(READY)) {
      if (failure === undefined && Date.now() > deadline) failure = `not ready after ${START_TIMEOUT_MS} ms`;
      if (failure !== undefined) throw new Error(`Kafka broker ${this.id} did not start: ${failure}. Its log ends:\n${tailOf(log)}`);
      await pause(POLL_MS);
    }
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const broker = this.#process;
    if (broker === undefined || !isRunning(broker)) return;
    broker.kill('SIGCONT');
    broker.kill(signal);
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (isRunning(broker)) {
      if (Date.now() > deadline) throw new Error(`Kafka broker ${this.id} survived ${signal} for ${STOP_TIMEOUT_MS} ms.`);
      await pause(POLL_MS);
    }
  }

  freeze(): void {
    if (this.#process === undefined || !isRunning(this.#process)) throw new Error('The broker is not running; there is nothing to freeze.');
    this.#process.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }
}

function isRunning(broker: ChildProcess): boolean {
  return broker.pid !== undefined && broker.exitCode === null && broker.signalCode === null;
}

function format(jars: KafkaJars, clusterId: string, propertiesFile: string, extra: readonly string[] = []): void {
  const args = [...jars.javaArguments, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', propertiesFile, ...extra];
  const done = spawnSync('java', args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`Formatting Kafka's storage failed:\n${done.stdout}\n${done.stderr}`);
}

/** Logins by SCRAM are kept in the cluster: its first ones come with the format. */
const scramArguments = ({ user, password }: NonNullable<KafkaOptions['scram']>): string[] =>
  ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => ['--add-scram', `${mechanism}=[name="${user}",password="${password}"]`]);

/** Formatting takes a JVM of its own, and only `meta.properties` in its result is of the one broker: it is done once per version and kept. */
function formatted(parent: string, jars: KafkaJars): string {
  const ready = join(parent, `formatted-${basename(jars.folder)}`);
  if (existsSync(ready)) return ready;
  const scratch = mkdtempSync(join(parent, 't-'));
  const place = { id: 1, port: 9092, controllerPort: 9093, dataDir: join(scratch, 'data') };
  const file = join(scratch, 'server.properties');
  writeFileSync(file, propertiesOf(brokerSettings(place, [place])));
  format(jars, randomId(), file);
  try {
    renameSync(place.dataDir, ready);
  } catch (error) {
    // Another process was quicker; its result is as good.
    if (!existsSync(ready)) throw error;
  }
  rmSync(scratch, { recursive: true, force: true });
  return ready;
}

function randomId(): string {
  // Ids that begin with a dash are taken for options.
  return `A${randomBytes(16).toString('base64url').slice(1)}`;
}

class Cluster implements KafkaCluster {
  readonly brokers: readonly Broker[];
  readonly addresses: string;
  readonly #watch: Deathwatch;
  #stopped: Promise<void> | undefined;

  constructor(folder: string, brokers: readonly Broker[]) {
    this.brokers = brokers;
    this.addresses = brokers.map((broker) => broker.address).join(',');
    this.#watch = watchForDeath(CLEAN_UP, [folder]);
  }

  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      await Promise.all(this.brokers.map((broker) => broker.kill()));
      await this.#watch.fire();
    })();
    return this.#stopped;
  }
}

/**
 * Starts Apache Kafka in KRaft mode on the loopback, for tests that stop, kill or freeze brokers. Its data is thrown away with it, also when
 * the test process is killed.
 */
export async function startKafka({ brokers: count = 1, settings = {}, scram }: KafkaOptions = {}): Promise<KafkaCluster> {
  const jars = kafkaJars();
  const parent = join(tmpdir(), `oblivious-kafka-${process.getuid?.() ?? 'user'}`);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const template = formatted(parent, jars);
  const folder = mkdtempSync(join(parent, 'c-'));
  const clusterId = randomId();
  const places: BrokerPlace[] = [];
  for (let id = 1; id <= count; id += 1) {
    const dataDir = join(folder, `broker-${id}`, 'data');
    places.push({ id, port: await freePort(), controllerPort: await freePort(), dataDir });
  }
  const brokers = places.map((place) => {
    const own = join(folder, `broker-${place.id}`);
    mkdirSync(own);
    const file = join(own, 'server.properties');
    writeFileSync(file, propertiesOf({ ...brokerSettings(place, places), ...settings }));
    if (scram === undefined) {
      cpSync(template, place.dataDir, { recursive: true });
      const identity = { version: '1', 'cluster.id': clusterId, 'node.id': String(place.id), 'directory.id': randomId() };
      writeFileSync(join(place.dataDir, 'meta.properties'), propertiesOf(identity));
    } else format(jars, clusterId, file, scramArguments(scram));
    writeFileSync(join(own, 'log4j2.xml'), LOGGING);
    return new Broker(place, own, jars);
  });
  const cluster = new Cluster(folder, brokers);
  try {
    await Promise.all(brokers.map((broker) => broker.start()));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}
