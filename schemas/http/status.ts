import { z } from 'zod';
import { Instant } from '../time.ts';
import { PositionText } from './wire.ts';

/** What any signed-in user may know of the installation. */
export const InstallationView = z.object({
  version: z.string(),
  /** Where clients point their SDK: ends in `/v1`. */
  apiBaseUrl: z.string(),
  /** A provider that only simulates is on. */
  sandbox: z.boolean(),
  /** Quota units that a console may show for one USD. */
  quotaPerUsd: z.int(),
});

export const StatusView = z.object({
  version: z.string(),
  profile: z.enum(['embedded', 'server', 'cluster']),
  startedAt: Instant,
  head: PositionText,
  readModelsReady: z.boolean(),
  /** What the configuration is, secrets masked. */
  settings: z.record(z.string(), z.string()),
  counts: z.object({ users: z.int(), keys: z.int(), channels: z.int(), pricedModels: z.int() }),
});
