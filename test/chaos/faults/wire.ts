import { startFaultProxy } from '../../support/fault-proxy.ts';
import { routeThroughNamespace } from '../../support/network-cut.ts';

/** How the processes of a cluster reach one service. */
export interface Wire {
  readonly host: string;
  readonly port: number;
  /** What carries it, for the report. */
  readonly kind: 'proxy' | 'network namespace';
  slow(delayMs: number): void;
  /** Nothing comes through any more and nobody is told. */
  cut(): void;
  refuse(): Promise<void>;
  heal(): Promise<void>;
  close(): Promise<void>;
}

/** Leads to a port of the loopback, over a cable that can be pulled where that is asked for and possible, and always through a proxy. */
export const layWire = async (port: number | (() => number), overCable: boolean): Promise<Wire> => {
  const proxy = await startFaultProxy({ host: '127.0.0.1', port });
  const route = overCable ? await routeThroughNamespace(proxy) : undefined;
  return {
    host: route?.host ?? '127.0.0.1',
    port: route?.port ?? proxy.port,
    kind: route === undefined ? 'proxy' : 'network namespace',
    slow: (delayMs) => proxy.slow(delayMs),
    cut: () => (route === undefined ? proxy.swallow() : route.pull()),
    refuse: () => proxy.refuse(),
    heal: async () => {
      route?.plug();
      await proxy.heal();
    },
    close: async () => {
      await route?.close();
      await proxy.close();
    },
  };
};
