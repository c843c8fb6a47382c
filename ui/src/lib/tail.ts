/** Connecting at first or again; open; closed for good. */
export type TailState = 'connecting' | 'open' | 'closed';

export interface Tail {
  readonly close: () => void;
}

const AGAIN_MS = [1_000, 2_000, 5_000, 15_000] as const;

/**
 * Follows server-sent events of one name. The browser resumes by itself with `Last-Event-ID` while the connection only
 * broke; where the server refused it, it is tried again with growing pauses, and given up after a few refusals in a row.
 */
export const openTail = <Row>(
  address: string,
  name: string,
  on: { readonly row: (row: Row) => void; readonly state: (state: TailState) => void },
): Tail => {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let refusals = 0;
  const connect = (): void => {
    on.state('connecting');
    source = new EventSource(address);
    source.addEventListener('open', () => {
      refusals = 0;
      on.state('open');
    });
    source.addEventListener(name, (event: MessageEvent<string>) => on.row(JSON.parse(event.data) as Row));
    source.addEventListener('error', () => {
      if (source?.readyState !== EventSource.CLOSED) return on.state('connecting');
      const pause = AGAIN_MS[refusals];
      refusals += 1;
      if (pause === undefined) return on.state('closed');
      on.state('connecting');
      timer = setTimeout(connect, pause);
    });
  };
  connect();
  return {
    close: () => {
      clearTimeout(timer);
      source?.close();
    },
  };
};
