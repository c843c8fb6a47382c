import type { EventOf } from '../../schemas/events/catalogue.ts';
import type { Position } from '../../schemas/event-envelope.ts';

/** Rows on their way into a file. */
export interface ExportPage {
  readonly rows: number;
  readonly text: string;
}

/** Where the rows of exports come from. */
export interface ExportSource {
  /** How far the read models are, once they have seen this position; `null` when they do not in time. */
  readyAt(position: Position): Promise<Position | null>;
  /** The whole file's text, a page at a time: what the log said at the position, the same however often it is asked. */
  pages(asked: EventOf<'ExportRequested'>['data'], position: Position): AsyncIterable<ExportPage>;
}
