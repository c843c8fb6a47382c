import type { IncomingMessage, ServerResponse } from 'node:http';

/** Long enough for an answer to be read by whoever is still sending. */
const LINGER_MS = 2_000;

/**
 * Ends a whole answer to a request whose body nobody is going to read; its head is written, and says that the connection closes. A connection that is closed while
 * bytes are on their way to it is reset, and the answer is lost with it: what comes is dropped, and the connection closed when all has come or some time is over.
 */
export const endUnread = (req: IncomingMessage, res: ServerResponse, body: string | Buffer): void => {
  res.write(body);
  const end = (): void => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  req.once('end', end);
  res.once('close', () => clearTimeout(timer));
  req.resume();
};
