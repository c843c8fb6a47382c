/** What one broker is told, on top of which `settings` of a test may come. */
export interface BrokerPlace {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
  readonly dataDir: string;
}

/**
 * A broker that is its own controller, small and quick to notice that another one is gone. Topics are replicated to all brokers and take a
 * record when two of three have it, as the documentation tells operators to have it.
 */
export function brokerSettings(
  { id, port, controllerPort, dataDir }: BrokerPlace,
  voters: readonly BrokerPlace[],
): Readonly<Record<string, string>> {
  const replicas = String(Math.min(3, voters.length));
  const inSync = String(Math.min(2, voters.length));
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': voters.map((voter) => `${voter.id}@127.0.0.1:${voter.controllerPort}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': dataDir,
    'auto.create.topics.enable': 'false',
    'unclean.leader.election.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': '2',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    // The defaults look for transactions whose producer is gone every ten seconds and let the first consumer of a group wait three.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'broker.heartbeat.interval.ms': '500',
    'broker.session.timeout.ms': '3000',
    'controller.quorum.election.timeout.ms': '500',
    'controller.quorum.election.backoff.max.ms': '300',
    'controller.quorum.fetch.timeout.ms': '1500',
    'replica.lag.time.max.ms': '3000',
    'replica.socket.timeout.ms': '3000',
    'num.network.threads': '2',
    'num.io.threads': '2',
    'num.recovery.threads.per.data.dir': '1',
    'background.threads': '2',
    'log.cleaner.threads': '1',
    'log.cleaner.dedupe.buffer.size': '4194304',
    'log.index.size.max.bytes': '262144',
    'transaction.state.log.segment.bytes': '1048576',
    'offsets.topic.segment.bytes': '1048576',
  };
}

/** The same as a file. */
export function propertiesOf(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
