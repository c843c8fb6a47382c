import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { UpstreamFault, UpstreamHeaders, UpstreamRequest } from './upstream.ts';

/** One message of a WebSocket, as it came. */
export interface Frame {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

export interface FrameListener {
  frame(frame: Frame): void;
  /** Something came, be it a frame or the answer to a ping. */
  heard(): void;
  /** Some of what was sent has gone out. */
  sent(): void;
  /** Told once, last of all. 1006 where the connection was lost. */
  closed(code: number, reason: string): void;
}

/** A WebSocket, whichever side began it. Says nothing before it is listened to. */
export interface FrameSocket {
  /** What was sent and has not gone out. */
  readonly unsentBytes: number;
  listen(listener: FrameListener): void;
  send(frame: Frame): void;
  ping(): void;
  pause(): void;
  resume(): void;
  /** Says goodbye, and cuts the connection where that is not answered in time. */
  close(code: number, reason: string): void;
  cut(): void;
}

export interface SocketRequest extends Pick<UpstreamRequest, 'origin' | 'path' | 'headers' | 'trusted' | 'proxy'> {
  /** The largest message that is taken. */
  readonly frameBytes: number;
  /** Until the socket is open. */
  readonly withinMs: number;
}

/** `answered`: with a plain answer in the place of a socket. */
export type SocketOpened =
  | { readonly kind: 'open'; readonly socket: FrameSocket }
  | { readonly kind: 'answered'; readonly status: number; readonly headers: UpstreamHeaders; readonly body: Buffer }
  | { readonly kind: 'fault'; readonly fault: UpstreamFault };

export interface ClientHandshake {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the request already. */
  readonly head: Buffer;
  /** Of those that the client offers; `null`: none. */
  readonly protocol: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly frameBytes: number;
}

/** WebSockets to upstreams, by the rules of egress that calls have, and those that clients ask for. */
export interface FrameSockets {
  open(request: SocketRequest): Promise<SocketOpened>;
  /** `null`: the client is gone. The request must be a valid handshake. */
  accept(handshake: ClientHandshake): FrameSocket | null;
}
