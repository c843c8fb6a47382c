import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { readConfig } from '../../infra/config/read-config.ts';
import { settings } from '../../schemas/config.ts';
import { rolesSchema } from '../../schemas/roles.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FILE = join(ROOT, 'docker-compose.yml');

const COMPOSE_IS_HERE = spawnSync('docker', ['compose', 'version']).status === 0;

const Values = z.record(z.string(), z.union([z.string(), z.number()]));
const ComposeService = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  profiles: z.array(z.string()).optional(),
  environment: Values.optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  tmpfs: z.array(z.string()).optional(),
  read_only: z.boolean().optional(),
  init: z.boolean().optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.enum(['service_started', 'service_healthy']) }).strict()).optional(),
  healthcheck: z
    .object({
      test: z.array(z.string()).min(2),
      interval: z.string().regex(/^\d+s$/),
      timeout: z.string().regex(/^\d+s$/),
      retries: z.number(),
      start_period: z.string().optional(),
    })
    .strict(),
  stop_grace_period: z.string().optional(),
  restart: z.string(),
});
type ComposeService = z.infer<typeof ComposeService>;
// Strict: a misspelt key is a mistake, not something to pass over.
const Compose = z.object({ services: z.record(z.string(), ComposeService.strict()), volumes: z.record(z.string(), z.null()) });

/** `${NAME:-usual}` as compose fills it in where the variable is not set. */
const filledIn = (text: string): string => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');

const file = Compose.parse(parse(readFileSync(FILE, 'utf8'), { merge: true }));
const services = Object.entries(file.services);
const gateways = services.filter(([, { image }]) => image.startsWith('oblivious:'));

const environmentOf = ({ environment }: ComposeService): Record<string, string> =>
  Object.fromEntries(Object.entries(environment ?? {}).map(([name, value]) => [name, filledIn(String(value))]));

describe('the compose file', () => {
  it('pins every image, for a service with a health check and a restart', () => {
    for (const [name, { image, restart }] of services) {
      expect(image, name).to.match(/^[a-z/]+:\d+\.\d+\.\d+[a-z0-9-]*$/);
      expect(restart, name).to.equal('unless-stopped');
    }
    expect(services.map(([name]) => name)).to.include.members(['postgres', 'redis', 'eventstore', 'kafka-1', 'kafka-2', 'kafka-3']);
  });

  it('declares every volume that is used, uses every one that is declared, and each by one service alone', () => {
    const used = services.flatMap(([, { volumes }]) => (volumes ?? []).map((volume) => volume.split(':')[0]));
    expect(used).to.have.members(Object.keys(file.volumes));
  });

  it('opens ports on the loopback only, each once', () => {
    const opened = services.flatMap(([, { ports }]) => (ports ?? []).map(filledIn));
    for (const port of opened) expect(port).to.match(/^127\.0\.0\.1:\d+:\d+$/);
    const outside = opened.map((port) => port.split(':')[1]);
    expect(new Set(outside).size).to.equal(outside.length);
  });

  it('starts PostgreSQL alone when no profile is named, and waits for nothing that its profile leaves out', () => {
    expect(services.filter(([, { profiles }]) => profiles === undefined).map(([name]) => name)).to.deep.equal(['postgres']);
    for (const [name, { depends_on: needs, profiles }] of services) {
      for (const need of Object.keys(needs ?? {})) {
        const there = file.services[need]?.profiles;
        expect(file.services, name).to.have.property(need);
        for (const profile of profiles ?? []) if (there !== undefined) expect(there, `${name} needs ${need}`).to.include(profile);
      }
    }
  });

  it('gives the gateway settings that there are, with values that they take', () => {
    const key = Buffer.alloc(32).toString('base64');
    for (const [name, service] of gateways) {
      const environment = environmentOf(service);
      for (const variable of Object.keys(environment)) expect(settings, name).to.have.property(variable);
      const missing = readConfig(environment);
      expect('mistakes' in missing && missing.mistakes, name)
        .to.have.length(1)
        .and.to.match(/OBLIVIOUS_MASTER_KEY/);
      expect(readConfig({ ...environment, OBLIVIOUS_MASTER_KEY: key }), name).to.have.property('config');
    }
  });

  it('runs every role, and the relay twice', () => {
    const roles = gateways.map(([name, { command }]) => {
      const [start, option, role, ...rest] = command ?? [];
      expect([start, option, rest], name).to.deep.equal(['start', '--role', []]);
      return rolesSchema.parse(role);
    });
    expect(roles.flat()).to.have.members([...rolesSchema.parse('all'), 'relay']);
  });

  it('points the gateway at its own services, at the ports on which they listen', () => {
    for (const [name, service] of gateways) {
      const { DATABASE_URL, EVENTSTORE_URL, KAFKA_BROKERS, REDIS_URL } = environmentOf(service);
      const addresses = [DATABASE_URL, EVENTSTORE_URL, REDIS_URL].map((url) => new URL(url as string).host);
      expect(addresses, name).to.deep.equal(['postgres:5432', 'eventstore:2113', 'redis:6379']);
      for (const broker of (KAFKA_BROKERS as string).split(',')) {
        const [host, port] = broker.split(':') as [string, string];
        const { environment } = file.services[host] as ComposeService;
        expect(environment?.['KAFKA_ADVERTISED_LISTENERS']).to.include(`INSIDE://${broker}`);
        expect(environment?.['KAFKA_LISTENERS']).to.include(`INSIDE://:${port}`);
        expect(environment?.['KAFKA_CONTROLLER_QUORUM_VOTERS']).to.include(`${String(environment?.['KAFKA_NODE_ID'])}@${host}:`);
      }
    }
  });

  if (COMPOSE_IS_HERE) {
    it('is taken by compose itself', () => {
      const checked = spawnSync('docker', ['compose', '-f', FILE, '--profile', 'cluster', 'config', '--quiet'], { encoding: 'utf8' });
      expect(checked.status, checked.stderr).to.equal(0);
    });
  }
});

describe('the image of the gateway', () => {
  const dockerfile = readFileSync(join(ROOT, 'infra/docker/Dockerfile'), 'utf8');
  const lines = dockerfile.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  it('is what the compose file builds, from pinned images, in stages, and runs as nobody special', () => {
    for (const [name, { build }] of gateways) expect(build, name).to.deep.equal({ context: '.', dockerfile: 'infra/docker/Dockerfile' });
    const stages = lines.filter((line) => line.startsWith('FROM '));
    expect(stages.length).to.be.greaterThan(1);
    for (const stage of stages) expect(stage).to.match(/^FROM node:20\.\d+\.\d+-bookworm-slim( AS \w+)?$/);
    const last = lines.slice(lines.indexOf(stages.at(-1) as string));
    expect(last.indexOf('USER node'))
      .to.be.greaterThan(0)
      .and.to.be.lessThan(last.findIndex((line) => line.startsWith('ENTRYPOINT')));
  });

  it('copies what is there and let through', () => {
    const letThrough = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    for (const path of letThrough) expect(existsSync(join(ROOT, path)), path).to.equal(true);
    const { include } = z
      .object({ include: z.array(z.string()) })
      .parse(JSON.parse(readFileSync(join(ROOT, 'tsconfig.build.json'), 'utf8')));
    expect(letThrough).to.include.members([...include, 'ui', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']);
  });

  it('has the versions of the project', () => {
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));
    for (const [name, { image }] of gateways) expect(image, name).to.equal(`oblivious:${version}`);
  });
});
