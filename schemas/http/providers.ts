import { z } from 'zod';
import { ProviderId } from '../events/channel.ts';
import { Capability } from '../provider.ts';

/** A part of a provider's address that only its customer knows: `{name}` in the base URL. */
export const AddressBlankView = z.object({ name: z.string(), form: z.enum(['host', 'segment']) });

export const ProviderView = z.object({
  id: ProviderId,
  name: z.string(),
  /** With its blanks in braces; `null` where only the operator knows. */
  baseUrl: z.string().nullable(),
  blanks: z.array(AddressBlankView),
  /** Works without a credential. */
  keyless: z.boolean(),
  serves: z.array(Capability),
});

export const ProviderList = z.object({ rows: z.array(ProviderView) });
