import { z } from 'zod';
import { UserId } from '../ids.ts';

export const settingsEvents = {
  /** The first event of an installation; that it can be appended once is what makes the first start happen once. */
  InstallationInitialised: z.object({ administratorId: UserId }),
} as const;
