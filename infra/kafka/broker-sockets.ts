import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Kafka, type Admin, type AdminConfig, type Consumer, type ConsumerConfig, type ISocketFactory, type KafkaConfig } from 'kafkajs';
import type { Producer, ProducerConfig } from 'kafkajs';

const KEEP_ALIVE_MS = 30_000;

/** The connections of this process to brokers, to be cut when one falls silent. */
class BrokerSockets {
  readonly #sockets = new Map<string, Set<Socket>>();

  /** As the client's own, with a note of what was made. */
  readonly factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    // The types say that it is always there; without TLS it is not.
    const secure = ssl as typeof ssl | boolean | null | undefined;
    const socket =
      secure === undefined || secure === null || secure === false
        ? connectPlain({ host, port }, onConnect)
        : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...(secure === true ? {} : secure) }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const broker = `${host}:${port}`;
    const sockets = this.#sockets.get(broker) ?? new Set();
    this.#sockets.set(broker, sockets.add(socket));
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };

  cut(broker: string): void {
    for (const socket of this.#sockets.get(broker) ?? []) socket.destroy(new Error('the broker did not answer in time'));
  }
}

/**
 * kafkajs goes on asking a broker it is connected to although none of its requests are answered, for as long as the connection stands: one
 * that is frozen or cut off without a word keeps it from ever asking another. Here the first request that times out ends the connection.
 */
export class WatchfulKafka extends Kafka {
  readonly #sockets: BrokerSockets;

  constructor(config: KafkaConfig) {
    const sockets = new BrokerSockets();
    super({ ...config, socketFactory: sockets.factory });
    this.#sockets = sockets;
  }

  override producer(config?: ProducerConfig): Producer {
    const producer = super.producer(config);
    producer.on('producer.network.request_timeout', ({ payload }) => this.#sockets.cut(payload.broker));
    return producer;
  }

  override consumer(config: ConsumerConfig): Consumer {
    const consumer = super.consumer(config);
    consumer.on('consumer.network.request_timeout', ({ payload }) => this.#sockets.cut(payload.broker));
    return consumer;
  }

  override admin(config?: AdminConfig): Admin {
    const admin = super.admin(config);
    admin.on('admin.network.request_timeout', ({ payload }) => this.#sockets.cut(payload.broker));
    return admin;
  }
}
