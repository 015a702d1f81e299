import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { Input } from '../../gateway.ts';
import { MESSAGE_BYTES_MAX, PATH_BYTES_MAX } from '../../model/limits.ts';
import type { Codec, SessionId } from '../../model/machine.ts';
import { isPath } from '../../model/pattern.ts';
import { errorAnswer, rawAnswer } from '../host/answer.ts';
import type { Sockets } from '../host/driver.ts';
import { type Refusal, refusal } from '../host/guard.ts';
import { pathOf, targetOf } from '../host/target.ts';

const CODECS: ReadonlyMap<string, Codec> = new Map([
  ['tidegate.v1.cbor', 'cbor'],
  ['tidegate.v1.json', 'json'],
]);
/** One-byte fragments pin memory: 16 of them are plenty for 16 KiB. */
const FRAGMENTS_MAX = 16;
const BUFFERED_CHUNKS_MAX = 1024;
const CLOSE_TIMEOUT_MS = 3000;
const RETRY_AFTER_S = 5;

/** What the server needs to know. */
export interface WsServerOptions {
  readonly node: string;
  readonly port: () => number;
  /** There is memory for a further publisher. */
  readonly hasRoom: () => boolean;
  readonly input: (input: Input) => void;
}

/** An upgrade that may go on. */
interface Admitted {
  readonly codec: Codec;
  readonly bearer: string | null;
}

/** The WebSocket side of the gateway: upgrades are judged before they become sessions. */
export class WsServer implements Sockets {
  readonly #options: WsServerOptions;
  readonly #sockets = new Map<SessionId, WebSocket>();
  readonly #server: WebSocketServer;
  #sessions = 0;

  constructor(options: WsServerOptions) {
    this.#options = options;
    const settings: ServerOptions & { readonly closeTimeout: number } = {
      noServer: true,
      perMessageDeflate: false,
      maxPayload: MESSAGE_BYTES_MAX,
      maxFragments: FRAGMENTS_MAX,
      maxBufferedChunks: BUFFERED_CHUNKS_MAX,
      clientTracking: false,
      autoPong: true,
      allowSynchronousEvents: true,
      // A peer that does not answer our close is cut off then; the types lack this option.
      closeTimeout: CLOSE_TIMEOUT_MS,
      handleProtocols: (offered) => [...offered].find((name) => CODECS.has(name)) ?? false,
    };
    this.#server = new WebSocketServer(settings);
  }

  /** Takes the upgrades of this HTTP server. */
  attach(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  send(session: SessionId, bytes: Uint8Array): void {
    const socket = this.#sockets.get(session);
    if (socket) socket.send(bytes, { binary: socket.protocol === 'tidegate.v1.cbor' });
  }

  close(session: SessionId, code: number, reason: string): void {
    const socket = this.#sockets.get(session);
    this.#sockets.delete(session);
    socket?.close(code, reason);
  }

  probe(session: SessionId): void {
    this.#sockets.get(session)?.ping();
  }

  unsentBytes(session: SessionId): number {
    return this.#sockets.get(session)?.bufferedAmount ?? 0;
  }

  /** Ends every socket that is still there. */
  terminate(): void {
    for (const socket of this.#sockets.values()) socket.terminate();
    this.#sockets.clear();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const judged = this.#judge(request);
    if ('status' in judged) {
      refuse(socket, judged);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (opened) => this.#open(opened, judged));
  }

  /** Everything that can be said before the upgrade. Source: PROTOCOL §2.1. */
  #judge(request: IncomingMessage): Admitted | Refusal {
    const foreign = refusal(request, this.#options.port());
    if (foreign) return foreign;
    const target = targetOf(pathOf(request.url), this.#options.node);
    if (target === 'other-node') return { status: 421, code: 4200, message: 'another node' };
    if (target !== 'socket') {
      return { status: 404, code: 404, message: 'WebSockets are served at /v1' };
    }
    const codec = codecOf(request);
    if (!codec) return noProtocol();
    const bearer = bearerOf(request);
    if (bearer === null) return { codec, bearer };
    if (!isPath(bearer, PATH_BYTES_MAX)) return noPath();
    if (this.#options.hasRoom()) return { codec, bearer };
    return { status: 503, code: 4100, message: 'no room for a further device on this node' };
  }

  #open(socket: WebSocket, { codec, bearer }: Admitted): void {
    this.#sessions += 1;
    const session = this.#sessions;
    const { input } = this.#options;
    this.#sockets.set(session, socket);
    input({ kind: 'connected', session, codec, bearer });
    socket.on('message', (payload: Buffer, isBinary) => {
      if (this.#sockets.has(session)) input({ kind: 'message', session, payload, isBinary });
    });
    socket.on('pong', () => input({ kind: 'heard', session }));
    socket.on('ping', () => input({ kind: 'heard', session }));
    // ws closes a broken connection itself, with 1002, 1007 or 1009: 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(session);
      input({ kind: 'disconnected', session });
    });
  }
}

const offersOf = (request: IncomingMessage): string[] =>
  (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());

const codecOf = (request: IncomingMessage): Codec | undefined => {
  const name = offersOf(request).find((offer) => CODECS.has(offer));
  return name === undefined ? undefined : CODECS.get(name);
};

/** The token of `Authorization: Bearer`, or null without such a header. */
const bearerOf = (request: IncomingMessage): string | null => {
  const { authorization } = request.headers;
  if (authorization === undefined) return null;
  return /^Bearer +(.*)$/i.exec(authorization)?.[1]?.trim() ?? '';
};

const noProtocol = (): Refusal => ({
  status: 400,
  code: 4005,
  message: `offer one of ${[...CODECS.keys()].join(', ')} in Sec-WebSocket-Protocol`,
});

const noPath = (): Refusal => ({
  status: 401,
  code: 4003,
  message: 'in open mode the bearer token is the device path, and this one is no path',
});

/** Answers an upgrade that is refused: `{"error":code,"message"}`. */
function refuse(socket: Duplex, { status, code, message }: Refusal): void {
  const headers: Record<string, string> = {};
  if (status === 503) headers['Retry-After'] = String(RETRY_AFTER_S);
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  socket.end(rawAnswer(errorAnswer(status, code, message, headers)));
}
