import type { Told } from '../../../domain/dialects/chat/told.ts';
import { FrameSplitter, type EventFrame } from './event-frames.ts';
import { GARBLED, type StreamTranslation } from './translated-answer.ts';

/** What a frame comes to; `null`: it is none that can be read. */
export interface FrameTeller {
  push(frame: EventFrame): readonly Told[] | null;
  end(): readonly Told[];
}

/** Frames of AWS's event streams, told one by one. */
export class FrameTranslation implements StreamTranslation {
  readonly #teller: FrameTeller;
  readonly #splitter: FrameSplitter;

  constructor(teller: FrameTeller, largestFrame: number) {
    this.#teller = teller;
    this.#splitter = new FrameSplitter(largestFrame);
  }

  push(piece: Buffer): readonly Told[] | typeof GARBLED {
    const frames = this.#splitter.push(piece);
    if (frames === null) return GARBLED;
    const all: Told[] = [];
    for (const frame of frames) {
      const told = this.#teller.push(frame);
      if (told === null) return GARBLED;
      all.push(...told);
    }
    return all;
  }

  /** Half a frame says nothing. */
  end(): readonly Told[] {
    return this.#teller.end();
  }
}
