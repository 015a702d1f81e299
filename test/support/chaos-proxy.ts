import { once } from 'node:events';
import {
  type AddressInfo,
  createConnection,
  createServer,
  type Server,
  type Socket,
} from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

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

/** So much leaves a thin uplink at a time. Units: bytes. */
const SLICE_BYTES = 512;

/** One connection through the proxy. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #bytesPerSecond: number;
  isSilent = false;

  constructor(client: Socket, server: Socket, bytesPerSecond: number) {
    this.#client = client;
    this.#server = server;
    this.#bytesPerSecond = bytesPerSecond;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', () => this.#ended(to));
      from.on('close', () => this.#ended(to));
      from.on('data', (bytes: Buffer) => {
        if (from === client && bytesPerSecond < Number.POSITIVE_INFINITY) {
          void this.#trickle(bytes);
          return;
        }
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

  /** Passes bytes on as a thin uplink does; what comes meanwhile waits in the kernel. */
  async #trickle(bytes: Buffer): Promise<void> {
    this.#client.pause();
    for (let at = 0; at < bytes.length && !this.isSilent; at += SLICE_BYTES) {
      const slice = bytes.subarray(at, at + SLICE_BYTES);
      await sleep((slice.length * 1000) / this.#bytesPerSecond);
      if (!this.isSilent && this.#server.writable) this.#server.write(slice);
    }
    this.#client.resume();
  }

  /** One end is gone. Over a silent link the other one never hears of it. */
  #ended(other: Socket): void {
    if (!this.isSilent) other.resetAndDestroy();
  }
}

/** A TCP proxy on loopback that cuts connections, loudly or silently. */
export class ChaosProxy {
  readonly #server: Server;
  readonly #bytesPerSecond: number;
  readonly #links = new Set<Link>();
  readonly #counts = { reset: 0, silent: 0 };
  /** Who came while the network was silently away, and never gets an answer. */
  readonly #unheard = new Set<Socket>();
  #isAway: Cut | null = null;

  private constructor(targetPort: number, bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#server = createServer((client) => this.#connect(client, targetPort));
  }

  /**
   * Listens on a free port and forwards to this one, also when somebody else listens there; each
   * connection sends at most so much. Units: bytes/s.
   */
  static async open(
    targetPort: number,
    bytesPerSecond = Number.POSITIVE_INFINITY,
  ): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(targetPort, bytesPerSecond);
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

  /**
   * The network is away until `comeBack`: every connection is cut, and who connects meanwhile is cut
   * in the same way. What was cut stays so.
   */
  goAway(how: Cut): void {
    this.#isAway = how;
    this.cut(how, 1);
    if (how === 'reset') this.#endSilent();
  }

  /** The network is there again, for whoever connects from now on. */
  comeBack(): void {
    this.#isAway = null;
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.reset();
    this.#endSilent();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #endSilent(): void {
    for (const link of this.#links) if (link.isSilent) link.reset();
    for (const client of this.#unheard) client.resetAndDestroy();
  }

  /** A connection over a network that is away. */
  #ignore(client: Socket): void {
    this.#unheard.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => this.#unheard.delete(client));
    client.resume();
  }

  #connect(client: Socket, targetPort: number): void {
    if (this.#isAway === 'reset') {
      client.resetAndDestroy();
      return;
    }
    if (this.#isAway === 'silent') {
      this.#ignore(client);
      return;
    }
    const server = createConnection(targetPort, '127.0.0.1');
    const link = new Link(client, server, this.#bytesPerSecond);
    this.#links.add(link);
    for (const end of [client, server]) {
      end.on('close', () => {
        if (link.isOver) this.#links.delete(link);
      });
    }
  }
}
