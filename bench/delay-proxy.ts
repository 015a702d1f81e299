import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

/**
 * A long way: a TCP proxy through which every byte takes so long, in each direction, Pings and
 * handshakes among them. Arguments: port of the target, delay in ms. Prints its own port.
 */
const [target = '0', delay = '0'] = process.argv.slice(2);
const DELAY_MS = Number(delay);
/** What is on its way in one direction of a connection is bounded, as on a real path. */
const ON_THE_WAY_BYTES_MAX = 4 * 1024 * 1024;

interface Parcel {
  readonly dueMs: number;
  /** Null: this side has closed. */
  readonly bytes: Buffer | null;
}

/** One direction of one connection. */
class Way {
  readonly #to: Socket;
  readonly #from: Socket;
  readonly #parcels: Parcel[] = [];
  #bytes = 0;
  #isWaiting = false;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    from.setNoDelay(true);
    from.on('data', (bytes) => this.#put(bytes));
    from.on('error', () => undefined);
    from.on('close', () => this.#put(null));
  }

  #put(bytes: Buffer | null): void {
    this.#parcels.push({ dueMs: performance.now() + DELAY_MS, bytes });
    this.#bytes += bytes?.length ?? 0;
    if (this.#bytes > ON_THE_WAY_BYTES_MAX) this.#from.pause();
    this.#arm();
  }

  #arm(): void {
    const [first] = this.#parcels;
    if (first === undefined || this.#isWaiting) return;
    this.#isWaiting = true;
    setTimeout(() => this.#deliver(), Math.max(0, Math.round(first.dueMs - performance.now())));
  }

  #deliver(): void {
    this.#isWaiting = false;
    // Timers are whole milliseconds: what is due in half a one goes along.
    const now = performance.now() + 0.5;
    const rest = this.#parcels.findIndex(({ dueMs }) => dueMs > now);
    const due = this.#parcels.splice(0, rest === -1 ? this.#parcels.length : rest);
    this.#to.cork();
    for (const { bytes } of due) {
      if (bytes === null) this.#to.destroy();
      else this.#to.write(bytes);
      this.#bytes -= bytes?.length ?? 0;
    }
    this.#to.uncork();
    if (this.#bytes <= ON_THE_WAY_BYTES_MAX) this.#from.resume();
    this.#arm();
  }
}

const server = createServer((client) => {
  const upstream = createConnection(Number(target), '127.0.0.1');
  new Way(client, upstream);
  new Way(upstream, client);
});
server.listen(0, '127.0.0.1', 4096, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
