import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventStoreService, eventStoreUrl } from './eventstore-service.ts';
import { kafkaBrokers, kafkaServices } from './kafka-service.ts';
import { postgresService, postgresUrl, removePostgresData } from './postgres-service.ts';
import { redisService } from './redis-service.ts';
import type { Place, Service } from './service.ts';
import { servicesDown, servicesUp, type Running } from './services.ts';

/**
 * Starts and stops the services of the cluster profile on this machine: `main.ts up | down [--wipe]`. They lie in the folder
 * `SERVICES_HOME` (`.services` unless given) and stay until they are taken down.
 */
const home = resolve(process.env['SERVICES_HOME'] ?? '.services');
const kafka = await kafkaServices(home, process.env);
const services: readonly Service[] = [postgresService, redisService, ...kafka, eventStoreService];
const USAGE = 'usage: main.ts up | down [--wipe]\n';

const urls = (running: readonly Running[]): Record<string, string> => {
  const placeOf = (service: Service): Place => {
    const found = running.find((one) => one.service === service);
    if (found === undefined) throw new Error(`${service.title} is not among what runs`);
    return found.place;
  };
  return {
    DATABASE_URL: postgresUrl(placeOf(postgresService)),
    REDIS_URL: `redis://127.0.0.1:${String(placeOf(redisService).ports[0])}`,
    KAFKA_BROKERS: kafkaBrokers(kafka.map(placeOf)),
    EVENTSTORE_URL: eventStoreUrl(placeOf(eventStoreService)),
  };
};

const up = async (): Promise<void> => {
  const running = await servicesUp(home, services, process.env);
  for (const { service, place, pid, already } of running) {
    process.stdout.write(
      `${service.title.padEnd(12)} ${already ? 'runs already' : 'started'} on port ${place.ports.join(', ')}, pid ${pid}\n`,
    );
  }
  const lines = Object.entries(urls(running)).map(([name, url]) => `export ${name}='${url}'\n`);
  const file = join(home, 'environment');
  writeFileSync(file, lines.join(''), { mode: 0o600 });
  process.stdout.write(`\n${lines.join('')}\nThe same: source ${file}\n`);
};

const down = async (wipe: boolean): Promise<void> => {
  const stopped = await servicesDown(home, services);
  rmSync(join(home, 'environment'), { force: true });
  for (const service of services)
    process.stdout.write(`${service.title.padEnd(12)} ${stopped.includes(service) ? 'stopped' : 'was not running'}\n`);
  if (!wipe) return;
  removePostgresData(join(home, postgresService.name));
  rmSync(home, { recursive: true, force: true });
};

const [command, option] = process.argv.slice(2);
try {
  if (command === 'up' && option === undefined) await up();
  else if (command === 'down' && (option === undefined || option === '--wipe')) await down(option === '--wipe');
  else {
    process.stderr.write(USAGE);
    process.exitCode = 2;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
