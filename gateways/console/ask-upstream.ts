import type { Upstream, UpstreamExchange, UpstreamRequest } from '../ports/upstream.ts';
import { bytesOfAnswer } from '../relay/hub-answer.ts';
import { bytesOf, type HubListener } from '../relay/hub-events.ts';
import type { Asked } from '../relay/upstreams/upstream-dialect.ts';

/** Longest that a question waits for a whole answer, unless it says otherwise. */
const LONGEST_MS = 30_000;

/** One call, and all of what came back to it, up to a size. */
export const askUpstreamOnce = (
  upstream: Upstream,
  request: UpstreamRequest,
  interpreter: Asked['interpreter'],
  mostBytes: number,
  withinMs = LONGEST_MS,
): Promise<{ readonly status: number; readonly text: string } | { readonly fault: string }> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    let exchange: UpstreamExchange | null = null;
    const giveUp = (fault: string): void => {
      clearTimeout(timer);
      exchange?.abort();
      resolve({ fault });
    };
    const timer = setTimeout(() => giveUp(`No whole answer within ${withinMs / 1_000} s.`), withinMs);
    const listener: HubListener = {
      headers: (answered) => {
        status = answered;
      },
      data: (events) => {
        const chunk = bytesOf(events);
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > mostBytes) giveUp('The answer does not end.');
        return true;
      },
      whole: (answer) => {
        listener.data(bytesOfAnswer(answer));
        listener.end();
      },
      end: () => {
        clearTimeout(timer);
        resolve({ status, text: Buffer.concat(chunks).toString('utf8') });
      },
      failed: ({ message }) => giveUp(message),
    };
    const interpreting = interpreter?.(listener) ?? null;
    exchange = upstream.send(request, interpreting ?? listener);
    interpreting?.begin(exchange);
  });
