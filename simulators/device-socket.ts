import type { IncomingMessage } from 'node:http';
import { type RawData, WebSocket } from 'ws';
import type { DeviceInput } from '../src/client/device-io.ts';
import type { Ending } from '../src/client/reconnect-policy.ts';
import { SUBSCRIBER_BYTES_MAX } from '../src/model/limits.ts';
import type { Codec } from '../src/model/machine.ts';
import { type LinkOptions, SlowLink } from './slow-link.ts';

/** A server that does not answer the upgrade is given up. Units: ms. */
const HANDSHAKE_MS = 10_000;
/** A peer that does not answer our close is cut off. Units: ms. */
const CLOSE_MS = 3000;
/** Of a refusal's body, so much is read. Units: bytes. */
const BODY_BYTES_MAX = 4096;

const OPTIONS = {
  perMessageDeflate: false,
  handshakeTimeout: HANDSHAKE_MS,
  closeTimeout: CLOSE_MS,
  maxPayload: SUBSCRIBER_BYTES_MAX,
};

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nothing listens there',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name service does not answer',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'the host cannot be reached',
};

/** What a network that is away looks like from a device. */
const AWAY: Ending = { code: 0, status: 0, message: 'the network is away (scenario)' };
/** A network that breaks off. */
const CUT: Ending = { code: 1006, status: 0, message: 'the network was cut (scenario)' };
/** An attempt over a network that is away fails after this. Units: ms. */
const AWAY_MS = 50;

/** What a socket needs besides its codec. */
export interface SocketOptions {
  readonly codec: Codec;
  /** Asked for every connection. */
  readonly credential: () => Promise<string>;
  /** The link is slow; absent: as fast as it is. */
  readonly link?: LinkOptions | undefined;
  /** The network is there; absent: always. */
  readonly isUp?: (() => boolean) | undefined;
}

/** The WebSocket of one simulated device: one connection after the other, never two. */
export class DeviceSocket {
  readonly #options: SocketOptions;
  readonly #onInput: (input: DeviceInput) => void;
  #socket: WebSocket | null = null;
  /** Tells whether a credential that arrives is still wanted. */
  #attempts = 0;

  readonly #uplink: SlowLink | null;
  readonly #downlink: SlowLink | null;

  constructor(options: SocketOptions, onInput: (input: DeviceInput) => void) {
    const { link } = options;
    this.#options = options;
    this.#onInput = onInput;
    this.#uplink = link ? new SlowLink(link) : null;
    this.#downlink = link ? new SlowLink(link) : null;
  }

  /** What was sent and has not been handed to the network. */
  get unflushedBytes(): number {
    return (this.#socket?.bufferedAmount ?? 0) + (this.#uplink?.queuedBytes ?? 0);
  }

  connect(url: string): void {
    this.#attempts += 1;
    const attempt = this.#attempts;
    if (this.#options.isUp?.() === false) {
      setTimeout(() => {
        if (attempt === this.#attempts) this.#ended(AWAY);
      }, AWAY_MS);
      return;
    }
    void this.#options.credential().then((token) => {
      if (attempt === this.#attempts) this.#open(url, token);
    });
  }

  #open(url: string, token: string): void {
    const socket = new WebSocket(url, `tidegate.v1.${this.#options.codec}`, {
      ...OPTIONS,
      autoPong: this.#uplink === null,
      headers: { authorization: `Bearer ${token}` },
    });
    this.#socket = socket;
    let failure = '';
    socket.on('open', () => this.#onInput({ kind: 'opened' }));
    socket.on('message', (data: RawData, isBinary: boolean) => {
      const bytes = data as Buffer;
      const read = (): void => this.#onInput({ kind: 'message', bytes, isText: !isBinary });
      if (this.#downlink) this.#downlink.put(bytes.length, read);
      else read();
    });
    // The gateway takes the time from Ping to Pong for the round trip of the link.
    socket.on('ping', (bytes: Buffer) => this.#answer(socket, bytes));
    socket.on('error', (error) => {
      failure = sentenceOf(error);
    });
    socket.on('unexpected-response', (_request, response) => this.#refused(response));
    socket.on('close', (code, reason) => {
      const isOurs = failure !== '' && code === 1006;
      const message = isOurs ? failure : reason.toString();
      this.#ended({ code: isOurs && !hasOpened(socket) ? 0 : code, status: 0, message });
    });
  }

  send(bytes: Uint8Array): void {
    const socket = this.#socket;
    const binary = this.#options.codec === 'cbor';
    if (this.#uplink) this.#uplink.put(bytes.length, () => socket?.send(bytes, { binary }));
    else socket?.send(bytes, { binary });
  }

  /** The network breaks off: both ends notice at once, and nothing on the way arrives. */
  cut(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#ended(CUT);
    socket.terminate();
  }

  #answer(socket: WebSocket, bytes: Buffer): void {
    if (!this.#uplink || !this.#downlink) return;
    const up = this.#uplink;
    this.#downlink.put(bytes.length, () => up.put(bytes.length, () => socket.pong(bytes)));
  }

  /** Closes; nothing of this connection is reported any more. */
  close(code: number): void {
    const socket = this.#release();
    if (socket && socket.readyState === WebSocket.CONNECTING) socket.terminate();
    else socket?.close(code);
  }

  #release(): WebSocket | null {
    this.#attempts += 1;
    const socket = this.#socket;
    this.#socket = null;
    this.#uplink?.cut();
    this.#downlink?.cut();
    socket?.removeAllListeners();
    // What happens to a socket that we are done with is nobody's concern, but must not be thrown.
    socket?.on('error', () => undefined);
    return socket;
  }

  #ended(ending: Ending): void {
    this.#release();
    this.#onInput({ kind: 'closed', ending });
  }

  /** The server answered the upgrade with an HTTP error: its body says why. */
  #refused(response: IncomingMessage): void {
    let body = '';
    const retryAfter = Number(response.headers['retry-after']);
    const finish = (): void => {
      response.removeAllListeners();
      response.on('error', () => undefined);
      response.destroy();
      this.#ended({
        code: 0,
        status: response.statusCode ?? 0,
        waitMs: Number.isFinite(retryAfter) ? retryAfter * 1000 : undefined,
        message: messageOf(body),
      });
    };
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      body += text;
      if (body.length > BODY_BYTES_MAX) finish();
    });
    for (const event of ['end', 'error', 'close']) response.on(event, finish);
    response.setTimeout(HANDSHAKE_MS, finish);
  }
}

/** The subprotocol is known from the moment on when the upgrade was answered. */
const hasOpened = (socket: WebSocket): boolean => socket.protocol !== '';

function sentenceOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return SENTENCES[code ?? ''] ?? (error.message || (code ?? 'connection failed'));
}

/** The sentence in `{"error":code,"message"}`, else the start of the body. */
function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // Not JSON: some proxy's words, shown as they are.
  }
  return body.replaceAll(/\s+/g, ' ').trim().slice(0, 120);
}
