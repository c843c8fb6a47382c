import { expect } from 'chai';
import { openKafka, type KafkaConfig } from '../../../infra/kafka/open-kafka.ts';
import { KafkaRecords } from '../../../infra/kafka/records.ts';
import { makeCertificate, type TestCertificate } from '../../support/certificate.ts';
import { startReader } from '../../support/kafka/reading.ts';
import { startSecuredKafka, type SecuredKafka } from '../../support/kafka/secured-kafka.ts';
import { silentLog } from '../../support/kafka/silent-log.ts';

describe('Kafka that wants TLS and a login', function () {
  this.timeout(120_000);
  let tls: TestCertificate;
  let kafka: SecuredKafka;
  before(async function () {
    this.timeout(240_000);
    tls = makeCertificate();
    kafka = await startSecuredKafka({ tls, user: 'relay', password: 'let;me in' });
  });
  after(async () => {
    await kafka.stop();
    tls.remove();
  });

  const login = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', password = 'let;me in') => ({
    KAFKA_BROKERS: kafka.secured,
    KAFKA_SSL: true,
    KAFKA_SSL_CA: tls.file,
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: 'relay',
    KAFKA_SASL_PASSWORD: password,
  });
  const opened = async <Result>(config: KafkaConfig, use: (records: KafkaRecords) => Promise<Result>): Promise<Result> => {
    const records = new KafkaRecords({ kafka: openKafka(config, silentLog), programLog: silentLog });
    return use(records).finally(() => records.close());
  };

  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
    it(`publishes and reads after a login by ${mechanism}`, () =>
      opened(login(mechanism), async (records) => {
        const topic = `secured-${mechanism}`;
        await records.ensureTopics([{ topic, partitions: 1 }]);
        const publisher = records.publisher(`writer-${mechanism}`);
        expect(await publisher.publish([{ topic, key: 'k', value: mechanism }])).to.deep.equal({ outcome: 'published' });
        const reader = startReader(records, { topics: [topic], group: `group-${mechanism}` });
        await reader.changed.until(() => reader.records.length === 1);
        expect(reader.records[0]?.value?.toString()).to.equal(mechanism);
        await reader.stop();
        await publisher.close();
      }));
  }

  it('is not used by who has another password, another authority or no TLS, and says why', async () => {
    const stranger = makeCertificate();
    const { KAFKA_SSL_CA: _, ...unnamed } = login('plain');
    const topics = [{ topic: 'never', partitions: 1 }];
    const refusedTo = (config: KafkaConfig): Promise<string> =>
      opened(config, (records) =>
        records.ensureTopics(topics).then(
          () => 'let in',
          (error: unknown) => String(error),
        ),
      );
    try {
      const [guessedScram, guessedPlain, otherAuthority, noAuthority, withoutTls] = await Promise.all([
        refusedTo(login('scram-sha-256', 'guessed')),
        refusedTo(login('plain', 'guessed')),
        refusedTo({ ...login('plain'), KAFKA_SSL_CA: stranger.file }),
        refusedTo(unnamed),
        refusedTo({ KAFKA_BROKERS: kafka.secured, KAFKA_SSL: false }),
      ]);
      expect(guessedScram).to.match(/SASL SCRAM SHA256 authentication failed/);
      expect(guessedPlain).to.match(/authentication failed/i);
      expect(otherAuthority).to.match(/certificate/);
      expect(noAuthority).to.match(/certificate/);
      expect(withoutTls).not.to.equal('let in');
    } finally {
      stranger.remove();
    }
  });
});
