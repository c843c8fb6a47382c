import type { RequestRow } from '../../api/requests.ts';
import type { Tone } from '../../ui/tone.ts';

export type Outcome = 'running' | 'ok' | 'refused' | 'failed' | 'lost';

/** `lost`: the process that held the call died, so nobody can tell how it went. */
export const outcomeOf = (row: Pick<RequestRow, 'state' | 'status'>): Outcome => {
  if (row.state === 'running') return 'running';
  if (row.status === null) return 'lost';
  if (row.status < 400) return 'ok';
  return row.status < 500 ? 'refused' : 'failed';
};

export const OUTCOME_TONE: Readonly<Record<Outcome, Tone>> = { running: 'neutral', ok: 'ok', refused: 'warn', failed: 'bad', lost: 'bad' };
