import { WebSocket } from 'ws';
import { decodeCbor } from '../../src/wire/decode.ts';
import { encode } from '../../src/wire/encode.ts';
import type { Message } from '../../src/wire/messages.ts';

/** How an upgrade was refused. */
export interface RefusedUpgrade {
  readonly status: number;
  readonly body: { readonly error: number; readonly message: string };
}

/** Tries an upgrade that has to be refused. */
export function refusedUpgrade(
  url: string,
  protocols: readonly string[],
  headers: Record<string, string> = {},
): Promise<RefusedUpgrade> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, [...protocols], { headers });
    socket.on('open', () => reject(new Error('the upgrade was not refused')));
    socket.on('error', reject);
    socket.on('unexpected-response', (_, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }),
      );
    });
  });
}

/** A peer that may say anything, well-behaved or not. */
export class RawClient {
  readonly messages: Message[] = [];
  /** The close code and the reason. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly socket: WebSocket;
  readonly #isJson: boolean;
  #waiting: (() => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.#isJson = socket.protocol === 'tidegate.v1.json';
    socket.on('message', (payload: Buffer) => this.#take(payload));
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
  }

  static open(
    url: string,
    protocol: string,
    headers: Record<string, string> = {},
  ): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, [protocol], { headers, perMessageDeflate: false });
      socket.on('error', reject);
      socket.on('open', () => resolve(new RawClient(socket)));
    });
  }

  /** A CBOR publisher that has said hello, and defined set 1 = `temp` on lane 1. */
  static async publisher(url: string, device: string): Promise<RawClient> {
    const headers = { Authorization: `Bearer ${device}` };
    const client = await RawClient.open(url, 'tidegate.v1.cbor', headers);
    client.say({ k: 'hello', ch: [[1, 1, 1]] });
    await client.until('welcome');
    client.say({ k: 'def', c: 1, s: 1, cols: [['temp', 'Cel']] });
    return client;
  }

  say(message: Message): void {
    const codec = this.#isJson ? 'json' : 'cbor';
    this.socket.send(encode(codec, message), { binary: !this.#isJson });
  }

  /** The first message of this kind that passes, now or later. */
  async until<K extends Message['k']>(
    kind: K,
    passes: (message: Extract<Message, { readonly k: K }>) => boolean = () => true,
  ): Promise<Extract<Message, { readonly k: K }>> {
    for (;;) {
      for (const message of this.messages) {
        if (message.k !== kind) continue;
        const found = message as Extract<Message, { readonly k: K }>;
        if (passes(found)) return found;
      }
      if (this.socket.readyState >= WebSocket.CLOSING) throw new Error(`closed before a ${kind}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #take(payload: Buffer): void {
    if (this.#isJson) this.messages.push(JSON.parse(payload.toString()));
    else {
      const decoded = decodeCbor(payload, 'server');
      if ('breach' in decoded) throw new Error(decoded.breach.message);
      this.messages.push(decoded.message);
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
