import type { UpstreamExchange } from '../../ports/upstream.ts';
import { placeRequest, type UpstreamPlace, type PlaceDeps, type PlaceQuestion } from '../upstream-place.ts';

export type LinesRead =
  | { readonly kind: 'read' }
  /** Whoever heard the lines had heard enough. */
  | { readonly kind: 'stopped' }
  /** `status`: `null` where none came. */
  | { readonly kind: 'failed'; readonly status: number | null };

const LF = 0x0a;
/** Between two pieces of a file. */
const SILENCE_MS = 60_000;

/**
 * Reads what is at a place line by line, with no more of it in memory than one line of at most `lineBytes`. `each` is told every line that is
 * not empty, `null` for one that is too long; it ends the reading with false.
 */
export const readLines = async (
  deps: PlaceDeps,
  place: UpstreamPlace,
  question: PlaceQuestion,
  lineBytes: number,
  each: (line: Buffer | null) => boolean,
): Promise<LinesRead> => {
  const request = await placeRequest(deps, place, { ...question, headers: { ...question.headers, accept: '*/*' } });
  if (request === null) return { kind: 'failed', status: null };
  return new Promise((resolve) => {
    let exchange: UpstreamExchange | null = null;
    let pieces: Buffer[] = [];
    let bytes = 0;
    let isOver = false;
    const finish = (read: LinesRead): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      if (read.kind !== 'read') exchange?.abort();
      resolve(read);
    };
    const timer = setTimeout(() => finish({ kind: 'failed', status: null }), SILENCE_MS);
    const line = (): boolean => {
      const whole = bytes > lineBytes ? null : Buffer.concat(pieces);
      pieces = [];
      bytes = 0;
      return whole?.toString('latin1').trim() === '' || each(whole);
    };
    const take = (piece: Buffer): void => {
      bytes += piece.length;
      if (bytes <= lineBytes) pieces.push(piece);
      else pieces = [];
    };
    exchange = deps.upstream.send(request, {
      headers: (status) => {
        if (status !== 200) finish({ kind: 'failed', status });
      },
      data: (chunk) => {
        if (isOver) return true;
        timer.refresh();
        let from = 0;
        for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
          take(chunk.subarray(from, at));
          from = at + 1;
          if (!line()) {
            finish({ kind: 'stopped' });
            return true;
          }
        }
        if (from < chunk.length) take(Buffer.from(chunk.subarray(from)));
        return true;
      },
      end: () => finish(bytes === 0 || line() ? { kind: 'read' } : { kind: 'stopped' }),
      failed: () => finish({ kind: 'failed', status: null }),
    });
    if (isOver) exchange.abort();
  });
};
