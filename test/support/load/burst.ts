import { Agent } from 'node:http';
import { call, type ClientCall, type PlannedCall } from './client-call.ts';

/** Makes all calls at once, each on a connection of its own; the `n`-th goes to the `n`-th URL and key, counted around. */
export const burst = async (
  urls: readonly string[],
  apiKeys: readonly string[],
  planned: readonly PlannedCall[],
): Promise<ClientCall[]> => {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  try {
    return await Promise.all(
      planned.map((plan, index) =>
        call(urls[index % urls.length] as string, apiKeys[Math.floor(index / urls.length) % apiKeys.length] as string, agent, plan),
      ),
    );
  } finally {
    agent.destroy();
  }
};
