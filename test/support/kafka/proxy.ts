import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './kafka.ts';

/** What becomes of one request. */
export type Fate =
  | 'pass'
  /** The client is cut off, the broker never sees the request. */
  | 'cut before'
  /** The broker gets it, the client is cut off and never hears the answer. */
  | 'cut after'
  /** The broker gets it, and no answer comes over this connection any more. */
  | 'mute'
  /** The broker gets it so many ms later, whatever became of the client by then. */
  | { readonly holdMs: number };

/** A request of the Kafka protocol. */
export interface ProxiedRequest {
  /** 0 produce, 1 fetch, 3 metadata … */
  readonly apiKey: number;
  readonly bytes: Buffer;
}

/** Produce. */
export const PRODUCE = 0;

const LENGTH_BYTES = 4;
const CUT_AFTER_MS = 30;

/**
 * A proxy in front of one broker that decides about whole requests. Clients come through it by the
 * `route` of the Kafka log: whatever a broker advertises, they dial the proxy.
 */
export class KafkaProxy {
  readonly port: number;
  /** Decides about every request; null lets all of them pass. */
  fate: ((request: ProxiedRequest) => Fate) | null = null;
  /** New connections are refused as if nobody listened. */
  isDown = false;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  readonly #brokers = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(target: string, port: number) {
    const [host = '', text = ''] = target.split(':');
    this.#target = { host, port: Number(text) };
    this.port = port;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async start(target: string): Promise<KafkaProxy> {
    const proxy = new KafkaProxy(target, await freePort());
    await new Promise<void>((resolve) => proxy.#server.listen(proxy.port, '127.0.0.1', resolve));
    return proxy;
  }

  /** For the option of the Kafka log. */
  readonly route = (): { host: string; port: number } => ({ host: '127.0.0.1', port: this.port });

  /** Cuts all connections of clients; what the broker has of them it keeps. */
  cut(): void {
    for (const client of this.#clients) client.destroy();
  }

  /** Nobody gets through, and who was through is cut off. */
  goDown(): void {
    this.isDown = true;
    this.cut();
  }

  stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.goDown();
    for (const broker of this.#brokers) broker.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    if (this.isDown) {
      client.destroy();
      return;
    }
    const broker = connect({ ...this.#target, noDelay: true });
    const link: Link = { client, broker, isMute: false, held: 0 };
    this.#clients.add(client);
    this.#brokers.add(broker);
    client.setNoDelay(true);
    client.on('error', () => undefined);
    broker.on('error', () => undefined);
    client.on('close', () => {
      this.#clients.delete(client);
      if (link.held === 0) broker.end();
    });
    broker.on('close', () => {
      this.#brokers.delete(broker);
      client.destroy();
    });
    broker.on('data', (bytes) => {
      if (!link.isMute && !client.destroyed) client.write(bytes);
    });
    let rest = Buffer.alloc(0);
    client.on('data', (bytes) => {
      rest = this.#cutRequests(link, Buffer.concat([rest, bytes]));
    });
  }

  /** Handles the whole requests in these bytes, and returns what is left. */
  #cutRequests(link: Link, bytes: Buffer): Buffer<ArrayBuffer> {
    let at = 0;
    while (at + LENGTH_BYTES <= bytes.length) {
      const end = at + LENGTH_BYTES + bytes.readInt32BE(at);
      if (end > bytes.length) break;
      const request = Buffer.from(bytes.subarray(at, end));
      this.#handle(link, { apiKey: request.readInt16BE(LENGTH_BYTES), bytes: request });
      at = end;
    }
    return Buffer.from(bytes.subarray(at));
  }

  #handle(link: Link, request: ProxiedRequest): void {
    const fate = this.fate?.(request) ?? 'pass';
    if (fate === 'cut before') {
      link.client.destroy();
    } else if (typeof fate === 'object') {
      link.held += 1;
      this.#later(fate.holdMs, () => {
        link.held -= 1;
        forward(link, request.bytes);
        if (link.client.destroyed) this.#later(CUT_AFTER_MS, () => link.broker.end());
      });
    } else {
      if (fate !== 'pass') link.isMute = true;
      forward(link, request.bytes);
      if (fate === 'cut after') this.#later(CUT_AFTER_MS, () => link.client.destroy());
    }
  }

  #later(ms: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, ms);
    this.#timers.add(timer);
  }
}

interface Link {
  readonly client: Socket;
  readonly broker: Socket;
  isMute: boolean;
  /** Requests that the broker does not have yet. */
  held: number;
}

function forward({ broker }: Link, bytes: Buffer): void {
  if (!broker.destroyed) broker.write(bytes);
}
