import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { ExportEvent } from '../../schemas/events/catalogue.ts';
import type { ExportedRows, ExportFormat } from '../../schemas/events/export.ts';
import type { ExportId, StreamName, UserId } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const exportStream = (exportId: ExportId): StreamName => streamName('export', exportId);

/** What the file is called, wherever it is kept. */
export const exportFileName = (exportId: ExportId, format: ExportFormat): string => `${exportId}.${format}.gz`;

export interface Export {
  readonly state: 'none' | 'requested' | 'completed' | 'failed' | 'cancelled' | 'expired';
  readonly format: ExportFormat;
  /** ISO 8601; `null` while there is no file. */
  readonly expiresAt: string | null;
}

const initial: Export = { state: 'none', format: 'csv', expiresAt: null };

const evolve = (state: Export, { type, data }: ExportEvent): Export => {
  switch (type) {
    case 'ExportRequested':
      return { state: 'requested', format: data.format, expiresAt: null };
    case 'ExportCompleted':
      return { ...state, state: 'completed', expiresAt: data.expiresAt };
    case 'ExportFailed':
      return { ...state, state: 'failed' };
    case 'ExportCancelled':
      return { ...state, state: 'cancelled' };
    case 'ExportExpired':
      return { ...state, state: 'expired' };
  }
};

export type ExportCommand =
  | {
      readonly kind: 'request';
      readonly requestedBy: UserId | null;
      readonly rows: ExportedRows;
      readonly format: ExportFormat;
      readonly withCosts: boolean;
    }
  | {
      readonly kind: 'complete';
      readonly position: string;
      readonly rows: number;
      readonly bytes: number;
      readonly sha256: string;
      readonly expiresAt: string;
    }
  | { readonly kind: 'fail'; readonly reason: string }
  | { readonly kind: 'cancel' }
  /** `now`: ISO 8601. */
  | { readonly kind: 'expire'; readonly now: string };

/** Longest reason that the event keeps. */
const REASON_LENGTH = 500;

const decide = (command: ExportCommand, state: Export, exportId: ExportId): readonly ExportEvent[] | Refusal => {
  if (command.kind === 'request') {
    const { kind: _kind, ...asked } = command;
    return state.state === 'none' ? [{ type: 'ExportRequested', data: { exportId, ...asked } }] : [];
  }
  if (state.state === 'none') return refuse('not_found', 'There is no such export.');
  switch (command.kind) {
    case 'complete': {
      if (state.state !== 'requested' && state.state !== 'failed') return refuse('wrong_state', `The export is ${state.state}.`);
      const { kind: _kind, ...file } = command;
      return [{ type: 'ExportCompleted', data: { exportId, ...file } }];
    }
    case 'fail':
      return state.state === 'requested'
        ? [{ type: 'ExportFailed', data: { exportId, reason: command.reason.slice(0, REASON_LENGTH) } }]
        : [];
    case 'cancel':
      if (state.state === 'cancelled') return [];
      return state.state === 'requested'
        ? [{ type: 'ExportCancelled', data: { exportId } }]
        : refuse('wrong_state', `The export is ${state.state} and cannot be cancelled any more.`);
    case 'expire':
      return state.state === 'completed' && state.expiresAt !== null && state.expiresAt <= command.now
        ? [{ type: 'ExportExpired', data: { exportId } }]
        : [];
  }
};

/** Rows that somebody wants as a file. */
export const exportOf = (exportId: ExportId): Decider<Export, ExportCommand, ExportEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, exportId),
});
