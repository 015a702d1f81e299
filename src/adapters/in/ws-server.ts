import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { Input } from '../../gateway/io.ts';
import { type Breach, breach } from '../../model/errors.ts';
import type { Identity } from '../../model/identity.ts';
import { MESSAGE_BYTES_MAX } from '../../model/limits.ts';
import type { Codec, SessionId } from '../../model/machine.ts';
import { type Access, identify } from '../auth/access.ts';
import { isLoopback } from '../auth/bad-token-limit.ts';
import { rawAnswer, refusalAnswer } from '../host/answer.ts';
import type { Sockets } from '../host/driver.ts';
import { type Refusal, refusal, refusalOf } from '../host/guard.ts';
import { pathOf, targetOf } from '../host/target.ts';

const CODECS: ReadonlyMap<string, Codec> = new Map([
  ['tidegate.v1.cbor', 'cbor'],
  ['tidegate.v1.json', 'json'],
]);
/** One-byte fragments pin memory: 16 of them are plenty for 16 KiB. */
const FRAGMENTS_MAX = 16;
const BUFFERED_CHUNKS_MAX = 1024;
const CLOSE_TIMEOUT_MS = 3000;
/** A peer that lets more than this wait is not reading: it is cut off. Units: bytes. */
const UNSENT_BYTES_MAX = 1024 * 1024;

/** What the server needs to know. */
export interface WsServerOptions {
  readonly node: string;
  readonly port: () => number;
  readonly access: Access;
  /** Why this device may not come in now, or null. `isLocal`: it is on this machine. */
  readonly refusalOf: (path: string, isLocal: boolean) => Breach | null;
  readonly input: (input: Input) => void;
}

/** An upgrade that may go on. */
interface Admitted {
  readonly codec: Codec;
  readonly identity: Identity | null;
}

/** A socket that belongs to a session. */
interface Peer {
  readonly socket: WebSocket;
  /** Address of whoever opened the connection. */
  readonly address: string;
  /** What is below the WebSocket. */
  readonly stream: Socket;
  /** Bytes received when the peer was heard of last: half a message is a sign of life too. */
  bytesHeard: number;
  /** When the Ping was sent that is not answered yet; NaN if there is none. Units: ms. */
  pingedMs: number;
}

/** The WebSocket side of the gateway: upgrades are judged before they become sessions. */
export class WsServer implements Sockets {
  /** Upgrades refused and sessions closed by us, by code: as many codes as there are. */
  readonly closes = new Map<number, number>();
  readonly #options: WsServerOptions;
  readonly #peers = new Map<SessionId, Peer>();
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
    server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
  }

  send(session: SessionId, bytes: Uint8Array): void {
    const socket = this.#peers.get(session)?.socket;
    if (!socket) return;
    if (socket.bufferedAmount > UNSENT_BYTES_MAX) socket.terminate();
    else socket.send(bytes, { binary: socket.protocol === 'tidegate.v1.cbor' });
  }

  close(session: SessionId, code: number, reason: string): void {
    const socket = this.#peers.get(session)?.socket;
    if (this.#peers.delete(session)) this.#count(code);
    socket?.close(code, reason);
  }

  probe(session: SessionId): void {
    const peer = this.#peers.get(session);
    if (!peer) return;
    peer.socket.ping();
    if (Number.isNaN(peer.pingedMs)) peer.pingedMs = performance.now();
    if (peer.stream.bytesRead === peer.bytesHeard) return;
    // Not within this call: it is an effect, and the other effects of its step come first.
    setImmediate(() => this.#hear(session));
  }

  verify(session: SessionId, token: string): Promise<Identity | Breach> {
    return this.#options.access.verify(token, this.#peers.get(session)?.address ?? '');
  }

  unsentBytes(session: SessionId): number {
    return this.#peers.get(session)?.socket.bufferedAmount ?? 0;
  }

  /** Ends every socket that is still there. */
  terminate(): void {
    for (const { socket } of this.#peers.values()) socket.terminate();
    this.#peers.clear();
  }

  #count(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }

  #hear(session: SessionId): void {
    const peer = this.#peers.get(session);
    if (!peer) return;
    peer.bytesHeard = peer.stream.bytesRead;
    this.#options.input({ kind: 'heard', session });
  }

  /** A Pong nobody asked for is a sign of life and no more. */
  #pong(session: SessionId): void {
    this.#hear(session);
    const peer = this.#peers.get(session);
    if (!peer || Number.isNaN(peer.pingedMs)) return;
    const tookMs = performance.now() - peer.pingedMs;
    peer.pingedMs = Number.NaN;
    this.#options.input({ kind: 'pong', session, tookMs });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    // Once the connection is lost its address is lost too.
    const { socket: stream } = request;
    const address = stream.remoteAddress ?? '';
    const judged = await this.#judge(request, address);
    if ('status' in judged) {
      this.#count(judged.code);
      socket.end(rawAnswer(refusalAnswer(judged)));
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      const bytesHeard = stream.bytesRead;
      const peer = { socket: opened, address, stream, bytesHeard, pingedMs: Number.NaN };
      this.#open(peer, judged);
    });
  }

  /** Everything that can be said before the upgrade. Source: PROTOCOL §2.1. */
  async #judge(request: IncomingMessage, address: string): Promise<Admitted | Refusal> {
    const { access, port } = this.#options;
    const foreign = access.isOpen ? refusal(request, port()) : null;
    if (foreign) return foreign;
    const target = targetOf(pathOf(request.url), this.#options.node);
    if (target === 'other-node') return { status: 421, code: 4200, message: 'another node' };
    if (target !== 'socket') {
      return { status: 404, code: 404, message: 'WebSockets are served at /v1' };
    }
    const codec = codecOf(request);
    if (!codec) return noProtocol();
    const identity = await identify(access, request);
    if (identity !== null && 'code' in identity) return refusalOf(identity);
    if (!identity?.isPublisher)
      return identity?.reads.length === 0 ? useless() : { codec, identity };
    const held = this.#options.refusalOf(identity.subject, isLoopback(address));
    return held ? refusalOf(held) : { codec, identity };
  }

  #open(peer: Peer, { codec, identity }: Admitted): void {
    this.#sessions += 1;
    const session = this.#sessions;
    const { input } = this.#options;
    const { socket } = peer;
    this.#peers.set(session, peer);
    input({ kind: 'connected', session, codec, identity, isLocal: isLoopback(peer.address) });
    socket.on('message', (payload: Buffer, isBinary) => {
      if (!this.#peers.has(session)) return;
      peer.bytesHeard = peer.stream.bytesRead;
      input({ kind: 'message', session, payload, isBinary });
    });
    socket.on('pong', () => this.#pong(session));
    socket.on('ping', () => this.#hear(session));
    // ws closes a broken connection itself, with 1002, 1007 or 1009: 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#peers.delete(session);
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

const noProtocol = (): Refusal => ({
  status: 400,
  code: 4005,
  message: `offer one of ${[...CODECS.keys()].join(', ')} in Sec-WebSocket-Protocol`,
});

const useless = (): Refusal => refusalOf(breach(4004, 'this token may neither publish nor read'));
