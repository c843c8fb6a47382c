import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

type Event = Readonly<Record<string, unknown>>;

/** What one response of the upstream's uses, in its own words. */
export const USAGE = {
  total_tokens: 170,
  input_tokens: 120,
  output_tokens: 50,
  input_token_details: {
    text_tokens: 60,
    audio_tokens: 60,
    image_tokens: 0,
    cached_tokens: 40,
    cached_tokens_details: { text_tokens: 30, audio_tokens: 10, image_tokens: 0 },
  },
  output_token_details: { text_tokens: 20, audio_tokens: 30 },
};

/** One session, as the upstream sees it. */
export class UpstreamSession {
  readonly req: IncomingMessage;
  readonly socket: WebSocket;
  /** Every frame that came, as text. */
  readonly frames: string[] = [];
  closed: { readonly code: number } | null = null;
  #responses = 0;

  constructor(req: IncomingMessage, socket: WebSocket) {
    this.req = req;
    this.socket = socket;
  }

  types(): readonly string[] {
    return this.frames.map((frame) => String((JSON.parse(frame) as Event)['type']));
  }

  send(event: Event): void {
    this.socket.send(JSON.stringify(event));
  }

  begin(): string {
    const id = `resp_${++this.#responses}`;
    this.send({ type: 'response.created', event_id: 'ev', response: { id, object: 'realtime.response', status: 'in_progress' } });
    return id;
  }

  say(id: string, text: string): void {
    this.send({ type: 'response.output_text.delta', event_id: 'ev', response_id: id, delta: text });
  }

  speak(id: string, bytes: number): void {
    this.send({ type: 'response.output_audio.delta', event_id: 'ev', response_id: id, delta: Buffer.alloc(bytes).toString('base64') });
  }

  done(id: string, usage: unknown = USAGE, status = 'completed'): void {
    this.send({ type: 'response.done', event_id: 'ev', response: { id, object: 'realtime.response', status, usage } });
  }

  /** A whole response. */
  respond(usage: unknown = USAGE): void {
    const id = this.begin();
    this.say(id, 'Hello there.');
    this.done(id, usage);
  }
}

export interface RealtimeUpstream {
  readonly baseUrl: string;
  readonly sessions: UpstreamSession[];
  /** What is done on an event of a client's; by default a response is a whole one at once. */
  onEvent: (session: UpstreamSession, event: Event) => void;
  /** Answers handshakes in the place of a socket; `null`: they get one. */
  refuse: ((req: IncomingMessage) => { readonly status: number; readonly body: string } | null) | null;
  /** The session's settings, as it says them. */
  settings: Event;
  close(): Promise<void>;
}

const answerAll = (session: UpstreamSession, event: Event): void => {
  if (event['type'] === 'response.create') session.respond();
};

/** An upstream that speaks OpenAI's realtime events. */
export const startRealtimeUpstream = async (): Promise<RealtimeUpstream> => {
  const server: Server = createServer((_req, res) => res.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 * 1024 });
  const upstream: { -readonly [K in keyof RealtimeUpstream]: RealtimeUpstream[K] } = {
    baseUrl: '',
    sessions: [],
    onEvent: answerAll,
    refuse: null,
    settings: { type: 'realtime', model: 'theirs', max_output_tokens: 'inf', audio: { input: { turn_detection: null } } },
    close: async () => {
      for (const { socket } of upstream.sessions) socket.terminate();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  server.on('upgrade', (req, socket, head) => {
    const refusal = upstream.refuse?.(req) ?? null;
    if (refusal !== null) {
      socket.end(
        `HTTP/1.1 ${refusal.status} No\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(refusal.body)}\r\nconnection: close\r\n\r\n${refusal.body}`,
      );
      return;
    }
    sockets.handleUpgrade(req, socket, head, (ws) => {
      const session = new UpstreamSession(req, ws);
      upstream.sessions.push(session);
      ws.on('error', () => undefined);
      ws.on('close', (code) => {
        session.closed = { code };
      });
      ws.on('message', (data, isBinary) => {
        const text = (data as Buffer).toString('utf8');
        session.frames.push(isBinary ? JSON.stringify({ type: 'binary', bytes: (data as Buffer).length }) : text);
        if (isBinary) return;
        const event = JSON.parse(text) as Event;
        if (event['type'] === 'session.update') {
          upstream.settings = { ...upstream.settings, ...(event['session'] as Event) };
          session.send({ type: 'session.updated', event_id: 'ev', session: upstream.settings });
        }
        upstream.onEvent(session, event);
      });
      session.send({ type: 'session.created', event_id: 'ev', session: upstream.settings });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  upstream.baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return upstream;
};
