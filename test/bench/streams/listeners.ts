/**
 * Clients that begin a stream each, hear its first piece and then wait. Run as a child process: told `{ origin, headers, body, count }` it answers
 * `{ begun, failed }`, and ends with its parent.
 */
import { connect } from 'node:net';

export interface ListenJob {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly count: number;
}

export interface Listening {
  readonly begun: number;
  readonly failed: Readonly<Record<string, number>>;
}

/** Connections that are opened at once: more would wait for each other. */
const AT_ONCE = 100;

const listen = ({ origin, headers, body }: ListenJob): Promise<string | null> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(origin);
    const head = Object.entries({
      host: hostname,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    const socket = connect({ host: hostname, port: Number(port) });
    let heard = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n${body}`));
    socket.on('data', (text: string) => {
      if (heard.length > 4_096) return;
      heard += text;
      if (heard.includes('"content":"I"')) resolve(null);
      else if (heard.includes('"error"')) resolve(heard.slice(heard.indexOf('"error"'), heard.indexOf('"error"') + 200));
    });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve('closed'));
  });

process.on('message', (job: ListenJob) => {
  void (async () => {
    const failed: Record<string, number> = {};
    let begun = 0;
    let left = job.count;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const fault = await listen(job);
        if (fault === null) begun += 1;
        else failed[fault] = (failed[fault] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    process.send?.({ begun, failed } satisfies Listening);
  })();
});
process.on('disconnect', () => process.exit(0));
