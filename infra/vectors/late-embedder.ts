import type { Embedder, EmbedQuestion, Embedded } from '../../commands/ports/embedder.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';

/** Has texts embedded by the relay, which a process that answers no calls begins only when there is something to embed. */
export class LateEmbedder implements Embedder {
  #begin: (() => Promise<Embedder>) | null = null;

  beginBy(begin: () => Promise<Embedder>): void {
    this.#begin = begin;
  }

  async embed(question: EmbedQuestion): Promise<Embedded | Refusal> {
    return this.#begin === null ? refuse('starting') : (await this.#begin()).embed(question);
  }
}
