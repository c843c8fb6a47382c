import { expect } from 'chai';
import { readConfig, showConfig } from '../../../infra/config/read-config.ts';

const configOf = (environment: NodeJS.ProcessEnv) => {
  const result = readConfig(environment);
  if ('mistakes' in result) throw new Error(result.mistakes.join('\n'));
  return result.config;
};

describe('the configuration', () => {
  it('needs nothing', () => {
    const config = configOf({});
    expect(config.PORT).to.equal(3000);
    expect(config.HOST).to.equal('127.0.0.1');
    expect(config.DATABASE_URL).to.equal(undefined);
    expect(config.OBLIVIOUS_TRIAL_CREDIT).to.equal(5_000_000_000n);
  });

  it('takes an empty variable for an absent one', () => {
    expect(configOf({ PORT: '', DATABASE_URL: '' }).PORT).to.equal(3000);
  });

  it('reads what is set', () => {
    const config = configOf({ PORT: '0', OBLIVIOUS_TRIAL_CREDIT: '0.25', OBLIVIOUS_ACCESS_LOG: 'off', OBLIVIOUS_LEASE_SECONDS: '7' });
    expect(config.PORT).to.equal(0);
    expect(config.OBLIVIOUS_TRIAL_CREDIT).to.equal(250_000_000n);
    expect(config.OBLIVIOUS_ACCESS_LOG).to.equal(false);
    expect(config.OBLIVIOUS_LEASE_SECONDS).to.equal(7);
  });

  it('names every mistake in a line of its own, and none of the values', () => {
    const result = readConfig({
      PORT: 'ninety',
      DATABASE_URL: 'mysql://me:hush@db/x',
      OBLIVIOUS_MASTER_KEY: 'brief',
      OBLIVIOUS_LOG_LEVEL: 'loud',
      OBLIVIOUS_HOMME: 'x',
    });
    if (!('mistakes' in result)) throw new Error('it took them');
    expect(result.mistakes.map((line) => line.split(':')[0])).to.have.members([
      'PORT',
      'DATABASE_URL',
      'OBLIVIOUS_MASTER_KEY',
      'OBLIVIOUS_LOG_LEVEL',
      'OBLIVIOUS_HOMME',
    ]);
    for (const line of result.mistakes) expect(line).not.to.match(/\n|hush|brief/);
  });

  it('wants PostgreSQL beside EventStoreDB, and says so in one line', () => {
    const EVENTSTORE_URL = 'esdb://admin:hush@node1.example:2113?tls=true';
    const result = readConfig({ EVENTSTORE_URL, DATABASE_URL: '' });
    if (!('mistakes' in result)) throw new Error('it took it');
    expect(result.mistakes).to.have.length(1);
    expect(result.mistakes[0])
      .to.match(/^DATABASE_URL: .*EVENTSTORE_URL/)
      .and.not.contain('hush');
    expect(configOf({ EVENTSTORE_URL, DATABASE_URL: 'postgres://db/x' }).EVENTSTORE_URL).to.equal(EVENTSTORE_URL);
    expect(readConfig({ EVENTSTORE_URL: 'https://node1.example', DATABASE_URL: 'postgres://db/x' })).to.have.property('mistakes');
  });

  it('wants the primary beside a replica, and a retention of whole days', () => {
    const beside = { DATABASE_URL: 'postgres://db/x', DATABASE_READ_URL: 'postgres://replica/x', OBLIVIOUS_USAGE_RETENTION_DAYS: '90' };
    expect(configOf(beside)).to.include({ OBLIVIOUS_USAGE_RETENTION_DAYS: 90, OBLIVIOUS_DATABASE_POOL: 4, OBLIVIOUS_CONSOLE_POOL: 4 });
    expect(configOf({}).OBLIVIOUS_USAGE_RETENTION_DAYS).to.equal(undefined);
    const alone = readConfig({ DATABASE_READ_URL: 'postgres://replica/x', OBLIVIOUS_USAGE_RETENTION_DAYS: '0.5' });
    expect('mistakes' in alone ? alone.mistakes.map((line) => line.split(':')[0]) : []).to.have.members([
      'DATABASE_READ_URL',
      'OBLIVIOUS_USAGE_RETENTION_DAYS',
    ]);
  });

  it('wants PostgreSQL beside Kafka, all of a login or nothing, and Kafka for the bridge', () => {
    const beside = { KAFKA_BROKERS: 'a.example:9092,b.example:9093', DATABASE_URL: 'postgres://db/x' };
    expect(configOf(beside).KAFKA_BROKERS).to.equal('a.example:9092,b.example:9093');
    const mistakesOf = (environment: NodeJS.ProcessEnv): string[] => {
      const result = readConfig(environment);
      return 'mistakes' in result ? result.mistakes.map((line) => line.split(':')[0] ?? '') : [];
    };
    expect(mistakesOf({ KAFKA_BROKERS: 'a.example:9092' })).to.deep.equal(['DATABASE_URL']);
    expect(mistakesOf({ ...beside, KAFKA_BROKERS: 'a.example' })).to.deep.equal(['KAFKA_BROKERS']);
    expect(mistakesOf({ ...beside, KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'me' })).to.deep.equal(['KAFKA_SASL_PASSWORD']);
    expect(mistakesOf({ DATABASE_URL: 'postgres://db/x', OBLIVIOUS_ROLES: 'bridge' })).to.deep.equal(['KAFKA_BROKERS']);
    expect(mistakesOf({ ...beside, OBLIVIOUS_ROLES: 'bridge' })).to.deep.equal([]);
    const login = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD: 'hush' };
    const shown = showConfig(configOf({ ...beside, ...login }), login);
    expect(JSON.stringify(shown)).not.to.contain('hush');
  });

  it('refuses an egress policy that is none', () => {
    expect(readConfig({ OBLIVIOUS_ALLOW_PRIVATE_UPSTREAMS: 'everything' })).to.have.property('mistakes');
    expect(readConfig({ OBLIVIOUS_ALLOW_PRIVATE_HOOKS: 'everything' })).to.have.property('mistakes');
    expect(configOf({ OBLIVIOUS_ALLOW_PRIVATE_UPSTREAMS: '10.0.0.0/8,fd00::/8' }).OBLIVIOUS_ALLOW_PRIVATE_UPSTREAMS).to.equal(
      '10.0.0.0/8,fd00::/8',
    );
  });

  it('refuses an address of Redis that is none, and says none of it', () => {
    const result = readConfig({ REDIS_URL: 'redis+sentinel://me:hush@one.example' });
    if (!('mistakes' in result)) throw new Error('it took it');
    expect(result.mistakes.join())
      .to.match(/^REDIS_URL: /)
      .and.not.contain('hush');
  });

  it('shows what is in force, with secrets masked', () => {
    const environment = {
      DATABASE_URL: 'postgres://me:hunter2hunter2@db.example/ledger?sslpassword=hunter3',
      EVENTSTORE_URL: 'esdb+discover://admin:hunter4@cluster.example:2113?nodePreference=follower',
      OBLIVIOUS_MASTER_KEY: `${'A'.repeat(43)}=`,
    };
    const shown = showConfig(configOf(environment), environment);
    const text = JSON.stringify(shown);
    expect(text).not.to.match(/hunter|AAAA/);
    expect(shown.find(({ name }) => name === 'DATABASE_URL')).to.include({ given: true });
    expect(shown.find(({ name }) => name === 'DATABASE_URL')?.value).to.contain('db.example');
    expect(shown.find(({ name }) => name === 'EVENTSTORE_URL')?.value).to.contain('cluster.example:2113?nodePreference=follower');
    const sentinel = { REDIS_URL: 'rediss+sentinel://me:hunter6@a.example:1,b.example/main?sentinelPassword=hunter7' };
    const { value } = showConfig(configOf(sentinel), sentinel).find(({ name }) => name === 'REDIS_URL') ?? {};
    expect(value).to.equal('rediss+sentinel://a.example:1,b.example/main');
    const cluster = { ...environment, EVENTSTORE_URL: 'esdb://admin:hunter5@a.example:2113,b.example:2113,c.example:2113' };
    expect(JSON.stringify(showConfig(configOf(cluster), cluster))).not.to.contain('hunter');
    expect(shown.find(({ name }) => name === 'OBLIVIOUS_TRIAL_CREDIT')).to.include({ value: '5', given: false });
    for (const { about } of shown) expect(about).to.match(/\.$/);
  });

  it('shows nothing of a secret that happens to read like an address, nor of an address that is one', () => {
    const environment = {
      OBLIVIOUS_METRICS_TOKEN: 'prometheus:hunter2hunter2',
      OBLIVIOUS_OPERATOR_TOKEN: 'ob://hunter3/hunter4',
      OBLIVIOUS_NOTIFY_WEBHOOK_URL: 'https://hunter5@hooks.example/services/T0/hunter6?sig=hunter7#hunter8',
      OBLIVIOUS_NOTIFY_WEBHOOK_SECRET: 'whsec:hunter9hunter9hunter9',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://me:hunter10@traces.example/v1',
    };
    const shown = showConfig(configOf(environment), environment);
    expect(JSON.stringify(shown)).not.to.contain('hunter');
    const valueOf = (wanted: string): string | undefined => shown.find(({ name }) => name === wanted)?.value;
    expect(valueOf('OBLIVIOUS_METRICS_TOKEN')).to.equal('••••••');
    expect(valueOf('OBLIVIOUS_NOTIFY_WEBHOOK_URL')).to.equal('https://hooks.example/••••••');
    expect(valueOf('OTEL_EXPORTER_OTLP_ENDPOINT')).to.contain('traces.example/v1');
  });
});
