import { services } from '../../container/identifiers.ts';
import type { RoleContext } from '../role-context.ts';

/** Hands events on to Kafka, or stands by to; where no Kafka is set there is nothing to do. */
export const bridge = async ({ container, config, onClose }: RoleContext): Promise<void> => {
  const { KAFKA_BROKERS, DATABASE_URL } = config;
  if (KAFKA_BROKERS === undefined || DATABASE_URL === undefined) return;
  // Loaded where it is used only: the client is a large part of a small process.
  const { startBridge } = await import('../../bridge/start-bridge.ts');
  onClose(
    startBridge({
      config: { ...config, KAFKA_BROKERS, DATABASE_URL },
      feed: await container.getAsync(services.eventLog),
      programLog: container.get(services.programLog),
      registry: container.get(services.metrics).registry,
      processName: container.get(services.processName),
    }),
  );
};
