import { once } from 'node:events';
import {
  type AddressInfo,
  createConnection,
  createServer,
  type Server,
  type Socket,
} from 'node:net';

/** How a connection is cut. */
export type Cut =
  /** Both ends get a TCP reset. */
  | 'reset'
  /** Nothing passes any more and neither end is told: a half-open connection. */
  | 'silent';

/** What the proxy has done so far. */
export interface CutCounts {
  readonly reset: number;
  readonly silent: number;
}

/** One connection through the proxy. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  isSilent = false;

  constructor(client: Socket, server: Socket) {
    this.#client = client;
    this.#server = server;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', () => this.#ended(to));
      from.on('close', () => this.#ended(to));
      from.on('data', (bytes) => {
        // Above this the other end is slow: what comes meanwhile waits in the kernel, as it should.
        if (!this.isSilent && !to.write(bytes)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
    }
  }

  get isOver(): boolean {
    return this.#client.destroyed && this.#server.destroyed;
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  /** One end is gone. Over a silent link the other one never hears of it. */
  #ended(other: Socket): void {
    if (!this.isSilent) other.resetAndDestroy();
  }
}

/** A TCP proxy on loopback that cuts connections, loudly or silently. */
export class ChaosProxy {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #counts = { reset: 0, silent: 0 };

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#connect(client, targetPort));
  }

  /** Listens on a free port and forwards to this one, also when somebody else listens there. */
  static async open(targetPort: number): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get counts(): CutCounts {
    return this.#counts;
  }

  /** Connections that still pass what they are given. */
  get live(): number {
    return [...this.#links].filter(({ isSilent }) => !isSilent).length;
  }

  /** Cuts each connection with this probability; a silent one is reset after so long. Units: ms. */
  cut(how: Cut, probability: number, silentMs = Number.POSITIVE_INFINITY): void {
    for (const link of this.#links) {
      if (link.isSilent || Math.random() >= probability) continue;
      this.#counts[how] += 1;
      if (how === 'reset') link.reset();
      else {
        link.isSilent = true;
        if (Number.isFinite(silentMs)) setTimeout(() => link.reset(), silentMs).unref();
      }
    }
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connect(client: Socket, targetPort: number): void {
    const server = createConnection(targetPort, '127.0.0.1');
    const link = new Link(client, server);
    this.#links.add(link);
    for (const end of [client, server]) {
      end.on('close', () => {
        if (link.isOver) this.#links.delete(link);
      });
    }
  }
}
