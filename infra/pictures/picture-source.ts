import { isIP } from 'node:net';
import type { Agent, Dispatcher, request } from 'undici';
import type { FoundPicture, PictureFault, PictureSource } from '../../gateways/ports/picture-source.ts';
import { pictureType } from '../../domain/tokens/picture-size.ts';
import type { EgressGuard } from '../egress/guard.ts';

export interface PictureSourceOptions {
  /** Of addresses that strangers name: not the one for channels, which may be let inside. */
  readonly guard: Pick<EgressGuard, 'lookup' | 'allowsAddress'>;
  /** Whether pictures are fetched without encryption too. */
  readonly allowsHttp: boolean;
  /** The ports that are asked, beside the usual one of the scheme. */
  readonly ports?: readonly number[];
  /** For one picture, with all that it is redirected to and its place in the queue. */
  readonly timeoutMs?: number;
  /** Fetched at once by this process; others wait. */
  readonly atOnce?: number;
}

const MOST_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Enough to see what it is. */
const MAGIC_BYTES = 16;

const ignore = (): void => undefined;

const urlOf = (text: string, base?: URL): URL | null => (URL.canParse(text, base?.href) ? new URL(text, base) : null);

/** Fetches pictures where the egress rules allow: each address, redirects too, is judged as it is connected to, by the address that its name has then. */
export const createPictureSource = ({
  guard,
  allowsHttp,
  ports = [80, 443],
  timeoutMs = 10_000,
  atOnce = 16,
}: PictureSourceOptions): PictureSource => {
  let running = 0;
  const waiting: (() => void)[] = [];

  const isAllowed = ({ protocol, port, username, password }: URL): boolean =>
    (protocol === 'https:' || (allowsHttp && protocol === 'http:')) &&
    (port === '' || ports.includes(Number(port))) &&
    username === '' &&
    password === '';

  /** Sockets do not look addresses up, so one in the URL would pass by the guard's look-up unseen. */
  const isInside = ({ hostname }: URL): boolean => {
    const host = hostname.replace(/^\[|\]$/g, '');
    return isIP(host) !== 0 && !guard.allowsAddress(host);
  };

  const read = async ({ headers, body }: Dispatcher.ResponseData, most: number): Promise<FoundPicture | PictureFault> => {
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') return 'no_picture';
    if (Number(headers['content-length'] ?? 0) > most) return 'too_large';
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isSeen = false;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > most) return 'too_large';
      // What is none is not read to its end.
      if (!isSeen && bytes >= MAGIC_BYTES) {
        if (pictureType(Buffer.concat(chunks)) === null) return 'no_picture';
        isSeen = true;
      }
    }
    const whole = Buffer.concat(chunks);
    const type = pictureType(whole);
    return type === null ? 'no_picture' : { type, bytes: whole };
  };

  const follow = async (
    address: string,
    most: number,
    signal: AbortSignal,
    agent: Agent,
    ask: typeof request,
  ): Promise<FoundPicture | PictureFault> => {
    let at = urlOf(address);
    for (let redirects = 0; at !== null && isAllowed(at); redirects++) {
      if (isInside(at)) return 'unreachable';
      const answer = await ask(at.href, {
        dispatcher: agent,
        signal,
        headers: { accept: 'image/png,image/jpeg,image/webp,image/gif', 'accept-encoding': 'identity', 'user-agent': 'oblivious' },
      });
      // What is left unread is no failure.
      answer.body.on('error', ignore);
      try {
        if (answer.statusCode === 200) return await read(answer, most);
      } finally {
        answer.body.destroy();
      }
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.statusCode) || typeof location !== 'string' || redirects === MOST_REDIRECTS) return 'unreachable';
      at = urlOf(location, at);
    }
    return 'address';
  };

  const turn = async (signal: AbortSignal): Promise<void> => {
    if (running < atOnce) {
      running++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const taken = (): void => {
        signal.removeEventListener('abort', left);
        resolve();
      };
      const left = (): void => {
        waiting.splice(waiting.indexOf(taken), 1);
        reject(new Error('it did not come to its turn'));
      };
      waiting.push(taken);
      signal.addEventListener('abort', left, { once: true });
    });
  };

  const done = (): void => {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  };

  return {
    fetch: async (address, most, signal) => {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        await turn(limited);
      } catch {
        return 'unreachable';
      }
      let agent: Agent | null = null;
      try {
        // Loaded where it is used only: most processes fetch none.
        const undici = await import('undici');
        // Of its own for each: connections to wherever strangers point are not worth keeping.
        agent = new undici.Agent({
          connections: 1,
          maxHeaderSize: 16_384,
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
          connect: { timeout: timeoutMs, lookup: guard.lookup },
        });
        return await follow(address, most, limited, agent, undici.request);
      } catch {
        return 'unreachable';
      } finally {
        done();
        void agent?.destroy();
      }
    },
  };
};
