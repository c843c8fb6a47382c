import { z } from 'zod';

/** Several tasks, asked about at once. */
export const TaskIds = z.looseObject({ ids: z.array(z.string().max(200)).max(50) });
