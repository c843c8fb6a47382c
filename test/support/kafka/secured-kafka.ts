import { readFileSync } from 'node:fs';
import type { TestCertificate } from '../certificate.ts';
import { freePort } from '../free-port.ts';
import { startKafka } from './kafka-cluster.ts';

/** A broker with a door that wants TLS and a login, by password or SCRAM. */
export interface SecuredKafka {
  /** `127.0.0.1:port` of that door. */
  readonly secured: string;
  stop(): Promise<void>;
}

export interface SecuredKafkaOptions {
  readonly tls: TestCertificate;
  readonly user: string;
  readonly password: string;
}

const inProperties = (text: string): string => text.trim().replaceAll('\n', '\\n');

/** The JAAS form of a text: in quotes, with its own quotes and backslashes escaped, once more for the file of properties. */
const quoted = (text: string): string => JSON.stringify(text).replaceAll('\\', '\\\\');

export const startSecuredKafka = async ({ tls, user, password }: SecuredKafkaOptions): Promise<SecuredKafka> => {
  const [port, plain, controller] = [await freePort(), await freePort(), await freePort()];
  const secured = `127.0.0.1:${port}`;
  const door = 'listener.name.sasl_ssl';
  const cluster = await startKafka({
    scram: { user, password },
    settings: {
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      listeners: `PLAINTEXT://127.0.0.1:${plain},SASL_SSL://${secured},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${plain},SASL_SSL://${secured}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      [`${door}.plain.sasl.jaas.config`]: `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}=${quoted(password)};`,
      [`${door}.scram-sha-256.sasl.jaas.config`]: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      [`${door}.scram-sha-512.sasl.jaas.config`]: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': inProperties(tls.certificate.toString('utf8')),
      'ssl.keystore.key': inProperties(readFileSync(tls.keyFile, 'utf8')),
    },
  });
  return { secured, stop: () => cluster.stop() };
};
