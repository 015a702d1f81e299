import type { WebSocketLike } from '../../src/adapters/device/device-client.ts';

/** A WebSocket of which a test says what happens to it. */
export class FakeSocket implements WebSocketLike {
  binaryType = '';
  readonly bufferedAmount = 0;
  readonly sent: (string | Uint8Array)[] = [];
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly #asked = Promise.withResolvers<void>();
  #onclose: ((event: never) => void) | null = null;

  /** Resolves when a device has taken it for its connection. */
  get isAsked(): Promise<void> {
    return this.#asked.promise;
  }

  get onclose(): ((event: never) => void) | null {
    return this.#onclose;
  }

  set onclose(listener: ((event: never) => void) | null) {
    this.#onclose = listener;
    this.#asked.resolve();
  }

  send(message: string | Uint8Array): void {
    this.sent.push(message);
  }

  close(): void {
    // The device closes: nothing is to be told about it any more.
  }

  opens(): void {
    this.onopen?.({} as never);
  }

  hears(bytes: Uint8Array): void {
    this.onmessage?.({ data: bytes.slice().buffer } as never);
  }

  closes(code: number, reason: string): void {
    this.onclose?.({ code, reason } as never);
  }
}
