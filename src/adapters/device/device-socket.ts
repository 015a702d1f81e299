import type { DeviceInput } from '../../client/device-io.ts';
import type { Codec } from '../../model/machine.ts';

/** What is needed of a WebSocket: the browser's, that of Node 22 and later, or that of `ws`. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

/** Opens a WebSocket. */
export type OpenWebSocket = (url: string, protocol: string) => WebSocketLike;

/** A server that does not answer the upgrade is given up. Units: ms. */
const HANDSHAKE_MS = 10_000;
/** What a browser may close with besides 1000. */
const CLOSE_CODES = [3000, 4999] as const;
/** What a device closes with where it must not say the code that fits (1003). */
const BAD_MESSAGE = 4000;

/** What the gateway would say of a token that may not do this: a human has to fix it. */
const NOT_ALLOWED = 4004;
/** Neither a page nor Node is told why a WebSocket did not open; so it says what to look at. */
const CANNOT_CONNECT =
  'cannot connect: check host and port, the path /v1, and that the gateway runs';

const UTF8 = new TextEncoder();
const TEXT = new TextDecoder();

/** The WebSocket of a device: one connection after the other, never two. */
export class DeviceSocket {
  readonly #codec: Codec;
  readonly #openWebSocket: OpenWebSocket;
  readonly #tokenOf: () => Promise<string | undefined>;
  readonly #refusalOf: (token: string | undefined) => string | null;
  readonly #onInput: (input: DeviceInput) => void;
  #socket: WebSocketLike | null = null;
  /** Tells whether a token that arrives is still wanted. */
  #attempt = 0;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  /**
   * `tokenOf` is asked for every connection, and `refusalOf` then why its token must not be used, as
   * a sentence, if it must not.
   */
  constructor(
    parts: {
      readonly codec: Codec;
      readonly openWebSocket: OpenWebSocket;
      readonly tokenOf: () => Promise<string | undefined>;
      readonly refusalOf: (token: string | undefined) => string | null;
    },
    onInput: (input: DeviceInput) => void,
  ) {
    this.#codec = parts.codec;
    this.#openWebSocket = parts.openWebSocket;
    this.#tokenOf = parts.tokenOf;
    this.#refusalOf = parts.refusalOf;
    this.#onInput = onInput;
  }

  /** What was sent and has not been handed to the network. Units: bytes. */
  get unflushedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  connect(url: string): void {
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#tokenOf().then(
      (token) => {
        if (attempt === this.#attempt) this.#open(url, token);
      },
      (error: unknown) => {
        if (attempt === this.#attempt) this.#failed(`no credential: ${String(error)}`);
      },
    );
  }

  send(bytes: Uint8Array): void {
    this.#socket?.send(
      this.#codec === 'json' ? TEXT.decode(bytes) : (bytes as Uint8Array<ArrayBuffer>),
    );
  }

  /** Closes; nothing of this connection is reported any more. */
  close(code: number): void {
    const [low, high] = CLOSE_CODES;
    this.#release()?.close(code === 1000 || (code >= low && code <= high) ? code : BAD_MESSAGE);
  }

  #open(url: string, token: string | undefined): void {
    const refusal = this.#refusalOf(token);
    if (refusal !== null) {
      this.#onInput(closed(NOT_ALLOWED, refusal));
      return;
    }
    let socket: WebSocketLike;
    try {
      socket = this.#openWebSocket(url, `tidegate.v1.${this.#codec}`);
    } catch (error) {
      // A bad URL, or one that this page may not open: it is reported and tried again like others.
      this.#failed(String(error));
      return;
    }
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#deadline = setTimeout(() => {
      this.#release()?.close();
      this.#onInput(closed(0, 'the server does not answer'));
    }, HANDSHAKE_MS);
    let isOpen = false;
    socket.onopen = () => {
      isOpen = true;
      clearTimeout(this.#deadline);
      this.#onInput({ kind: 'opened', token });
    };
    socket.onmessage = (event: { readonly data: unknown }) => this.#read(event.data);
    // What went wrong is not told to a page; `close` follows in any case.
    socket.onerror = () => undefined;
    socket.onclose = (event: { readonly code: number; readonly reason: string }) => {
      this.#release();
      this.#onInput(isOpen ? closed(event.code, event.reason) : closed(0, CANNOT_CONNECT));
    };
  }

  #read(data: unknown): void {
    const isText = typeof data === 'string';
    const bytes = isText ? UTF8.encode(data) : new Uint8Array(data as ArrayBuffer);
    this.#onInput({ kind: 'message', bytes, isText });
  }

  #failed(message: string): void {
    this.#onInput(closed(0, message));
  }

  #release(): WebSocketLike | null {
    this.#attempt += 1;
    clearTimeout(this.#deadline);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return null;
    const ignore = (): void => undefined;
    Object.assign(socket, { onopen: ignore, onmessage: ignore, onerror: ignore, onclose: ignore });
    return socket;
  }
}

const closed = (code: number, message: string): DeviceInput => ({
  kind: 'closed',
  ending: { code, status: 0, message },
});
