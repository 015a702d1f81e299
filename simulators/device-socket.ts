import type { IncomingMessage } from 'node:http';
import { type RawData, WebSocket } from 'ws';
import type { DeviceInput } from '../src/client/device-io.ts';
import type { Ending } from '../src/client/reconnect-policy.ts';
import { SUBSCRIBER_BYTES_MAX } from '../src/model/limits.ts';
import type { Codec } from '../src/model/machine.ts';

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

/** The WebSocket of one simulated device: one connection after the other, never two. */
export class DeviceSocket {
  readonly #codec: Codec;
  readonly #credential: () => Promise<string>;
  readonly #onInput: (input: DeviceInput) => void;
  #socket: WebSocket | null = null;
  /** Tells whether a credential that arrives is still wanted. */
  #attempts = 0;

  /** `credential` is asked for every connection. */
  constructor(
    codec: Codec,
    credential: () => Promise<string>,
    onInput: (input: DeviceInput) => void,
  ) {
    this.#codec = codec;
    this.#credential = credential;
    this.#onInput = onInput;
  }

  /** What was sent and has not been handed to the network. */
  get unflushedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  connect(url: string): void {
    this.#attempts += 1;
    const attempt = this.#attempts;
    void this.#credential().then((token) => {
      if (attempt === this.#attempts) this.#open(url, token);
    });
  }

  #open(url: string, token: string): void {
    const socket = new WebSocket(url, `tidegate.v1.${this.#codec}`, {
      ...OPTIONS,
      headers: { authorization: `Bearer ${token}` },
    });
    this.#socket = socket;
    let failure = '';
    socket.on('open', () => this.#onInput({ kind: 'opened' }));
    socket.on('message', (data: RawData, isBinary: boolean) => {
      this.#onInput({ kind: 'message', bytes: data as Buffer, isText: !isBinary });
    });
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
    this.#socket?.send(bytes, { binary: this.#codec === 'cbor' });
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
