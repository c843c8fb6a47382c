import { readFileSync } from 'node:fs';
import { logLevel, type Kafka, type SASLOptions } from 'kafkajs';
import type { Config } from '../../schemas/config.ts';
import type { ProgramLog } from '../logging/logger.ts';
import { WatchfulKafka } from './broker-sockets.ts';
import { clientLog } from './client-log.ts';
import { quietRequestTimers } from './request-timers.ts';

type Secured = 'KAFKA_SSL_CA' | 'KAFKA_SASL_MECHANISM' | 'KAFKA_SASL_USERNAME' | 'KAFKA_SASL_PASSWORD';

/** Where the brokers are and how to speak with them. */
export type KafkaConfig = Pick<Config, 'KAFKA_SSL'> & Partial<Pick<Config, Secured>> & { readonly KAFKA_BROKERS: string };

const CONNECT_TIMEOUT_MS = 3_000;
/** A broker that is silent for so long is left for another one. Shorter than a transaction may take. */
const REQUEST_TIMEOUT_MS = 5_000;
const RETRY = { initialRetryTime: 50, multiplier: 2, factor: 0.2, maxRetryTime: 1_000, retries: 6 } as const;

const saslOf = (config: KafkaConfig): SASLOptions | undefined => {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  if (mechanism === undefined || username === undefined || password === undefined) return undefined;
  return { mechanism, username, password };
};

/** The client of a cluster; connects to nothing yet. */
export const openKafka = (config: KafkaConfig, programLog: Pick<ProgramLog, 'warn' | 'debug'>): Kafka => {
  quietRequestTimers();
  const sasl = saslOf(config);
  const ca = config.KAFKA_SSL_CA === undefined ? undefined : readFileSync(config.KAFKA_SSL_CA);
  return new WatchfulKafka({
    clientId: 'oblivious',
    brokers: config.KAFKA_BROKERS.split(','),
    ssl: config.KAFKA_SSL ? (ca === undefined ? true : { ca }) : false,
    ...(sasl === undefined ? {} : { sasl }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    enforceRequestTimeout: true,
    retry: RETRY,
    logLevel: logLevel.INFO,
    logCreator: clientLog(programLog),
  });
};
