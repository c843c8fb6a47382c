import type { Command } from '../command.ts';
import { adminCommands } from './admin-commands.ts';
import { channelCommands } from './channel-commands.ts';
import { channelTransferCommands } from './channel-transfer-commands.ts';
import { eventCommands } from './event-commands.ts';
import { exportCommands } from './export-commands.ts';
import { keyCommands } from './key-commands.ts';
import { ledgerCommands } from './ledger-commands.ts';
import { limitCommands } from './limit-commands.ts';
import { parkedCommands } from './parked-commands.ts';
import { projectionCommands } from './projection-commands.ts';
import { routingCommands } from './routing-commands.ts';
import { configCommand, startCommand, statusCommand } from './server-commands.ts';
import { taskCommands } from './task-commands.ts';
import { userCommands } from './user-commands.ts';

/** Every command there is, in the order of the help. */
export const allCommands: readonly Command[] = [
  startCommand,
  configCommand,
  statusCommand,
  ...userCommands,
  ...keyCommands,
  ...channelCommands,
  ...channelTransferCommands,
  ...routingCommands,
  ...limitCommands,
  ...ledgerCommands,
  ...exportCommands,
  ...taskCommands,
  ...projectionCommands,
  ...parkedCommands,
  ...eventCommands,
  ...adminCommands,
];
