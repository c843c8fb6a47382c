import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { ChannelAdded } from '../../../schemas/http/channels.ts';
import type { KeyCreated } from '../../../schemas/http/keys.ts';
import type { PriceListPublished } from '../../../schemas/http/prices.ts';
import type { UserCreated } from '../../../schemas/http/users.ts';
import { operatorTokenOf, type ServerProcess } from './server-process.ts';

/** A model of the tests, at prices that make every cost a whole number of nano-dollars. */
export interface TestModel {
  readonly model: string;
  /** Nano-dollars for one token. */
  readonly inputPerToken: number;
  readonly cachedPerToken: number;
  readonly outputPerToken: number;
  readonly maxOutputTokens: number;
}

/** A price list names nano-dollars for a million tokens. */
const perMillion = (perToken: number): string => (BigInt(perToken) * 1_000_000n).toString();

/** The operator of a server under test, over its own HTTP API. */
export interface Operator {
  request<Answer>(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Prices for exactly these models, in force at once. */
  publishPrices(models: readonly TestModel[]): Promise<void>;
  addChannel(baseUrl: string, models: readonly TestModel[]): Promise<string>;
  createUser(credit: bigint): Promise<string>;
  grantCredit(userId: string, amount: bigint): Promise<void>;
  createKey(userId: string): Promise<{ readonly tokenId: string; readonly secret: string }>;
}

export const operatorOf = async (server: Pick<ServerProcess, 'url' | 'home'>): Promise<Operator> => {
  const token = await operatorTokenOf(server.home);
  const request = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${server.url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
    return JSON.parse(text) as Answer;
  };
  return {
    request,
    publishPrices: async (models) => {
      await request<z.input<typeof PriceListPublished>>('POST', '/prices', {
        title: 'Prices of the tests',
        asOf: '2026-01-01',
        source: 'tests',
        models: models.map(({ model, inputPerToken, cachedPerToken, outputPerToken, maxOutputTokens }) => ({
          model,
          kind: 'chat',
          rates: { input: perMillion(inputPerToken), cachedInput: perMillion(cachedPerToken), output: perMillion(outputPerToken) },
          maxOutputTokens,
          contextTokens: 128_000,
        })),
      });
    },
    addChannel: async (baseUrl, models) => {
      const added = await request<z.input<typeof ChannelAdded>>('POST', '/channels', {
        settings: {
          name: 'The fake provider',
          provider: 'openai',
          baseUrl,
          models: models.map(({ model }) => ({ model, upstreamModel: model })),
        },
        secrets: ['sk-of-the-tests'],
      });
      return added.channelId;
    },
    createUser: async (credit) => {
      const created = await request<z.input<typeof UserCreated>>('POST', '/users', {
        email: `${randomUUID()}@example.com`,
        displayName: 'A user of the tests',
      });
      if (credit > 0n) await request('POST', `/users/${created.userId}/credit`, { amount: credit.toString(), reason: 'test' });
      return created.userId;
    },
    grantCredit: async (userId, amount) => {
      await request('POST', `/users/${userId}/credit`, { amount: amount.toString(), reason: 'test' });
    },
    createKey: async (userId) => {
      const created = await request<z.input<typeof KeyCreated>>('POST', '/keys', { name: 'test', userId });
      return { tokenId: created.tokenId, secret: created.secret };
    },
  };
};
