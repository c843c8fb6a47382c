type Expecting = 'head' | 'counted body' | 'chunk size' | 'chunk' | 'trailer';

/** What is told of the answers on one connection, in order. */
export interface AnswerListener {
  /** A part of the body, where bodies were asked for. */
  body(text: string): void;
  /** The answer is complete. `reusable`: the connection stays open for the next. */
  end(status: number, reusable: boolean): void;
}

/**
 * Reads HTTP/1.1 answers off one keep-alive connection. Knows what an answer to a POST may need and nothing else: a full client would cost
 * more than the servers that are measured with it. Throws on an answer that only ends with its connection.
 */
export class AnswerReader {
  readonly #listener: AnswerListener;
  readonly #bodies: boolean;
  #expecting: Expecting = 'head';
  #missing = 0;
  #status = 0;
  #reusable = true;
  #rest: Buffer | undefined;

  constructor(listener: AnswerListener, bodies: boolean) {
    this.#listener = listener;
    this.#bodies = bodies;
  }

  read(received: Buffer): void {
    const bytes = this.#rest === undefined ? received : Buffer.concat([this.#rest, received]);
    this.#rest = undefined;
    let at = 0;
    while (at < bytes.length) {
      const next = this.#step(bytes, at);
      if (next < 0) {
        this.#rest = bytes.subarray(at);
        return;
      }
      at = next;
    }
  }

  /** Where to go on, or a negative number when what is there is not enough. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#expecting) {
      case 'head': {
        const end = bytes.indexOf('\r\n\r\n', at, 'latin1');
        if (end < 0) return -1;
        this.#readHead(bytes.toString('latin1', at, end).toLowerCase());
        return end + 4;
      }
      case 'counted body': {
        const end = this.#take(bytes, at, 0);
        if (this.#missing === 0) this.#end();
        return end;
      }
      case 'chunk size': {
        const end = bytes.indexOf(10, at);
        if (end < 0) return -1;
        const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
        this.#missing = size + 2;
        this.#expecting = size === 0 ? 'trailer' : 'chunk';
        return end + 1;
      }
      case 'chunk': {
        const end = this.#take(bytes, at, 2);
        if (this.#missing === 0) this.#expecting = 'chunk size';
        return end;
      }
      case 'trailer': {
        const end = bytes.indexOf(10, at);
        if (end < 0) return -1;
        if (end - at <= 1) this.#end();
        return end + 1;
      }
    }
  }

  #readHead(head: string): void {
    this.#status = Number(head.slice(9, 12));
    this.#reusable = !head.includes('\r\nconnection: close');
    const length = head.indexOf('\r\ncontent-length:');
    if (length >= 0) {
      this.#missing = Number.parseInt(head.slice(length + 17), 10);
      this.#expecting = 'counted body';
      if (this.#missing === 0) this.#end();
    } else if (head.includes('\r\ntransfer-encoding: chunked')) {
      this.#expecting = 'chunk size';
    } else {
      throw new Error(`an answer without a length: ${head.slice(0, 200)}`);
    }
  }

  /** Takes what is there of the body; the last `trailing` bytes of what is missing are line ends, not content. */
  #take(bytes: Buffer, at: number, trailing: number): number {
    const size = Math.min(this.#missing, bytes.length - at);
    const content = Math.min(size, this.#missing - trailing);
    if (this.#bodies && content > 0) this.#listener.body(bytes.toString('latin1', at, at + content));
    this.#missing -= size;
    return at + size;
  }

  #end(): void {
    this.#expecting = 'head';
    this.#listener.end(this.#status, this.#reusable);
  }
}
