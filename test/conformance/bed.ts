import { createHash, createSecretKey, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll } from 'vitest';
import { type Access, openAccess, TokenAccess } from '../../src/adapters/auth/access.ts';
import { Driver } from '../../src/adapters/host/driver.ts';
import { createHttp } from '../../src/adapters/host/http.ts';
import { WsServer } from '../../src/adapters/in/ws-server.ts';
import { figures } from '../../src/cli/figures.ts';
import { loadConfig } from '../../src/config/load.ts';
import { SECRET } from '../support/secured-gateway.ts';
import { KeptLog } from './kept-log.ts';

const SHARDS = 4;

/** What may be special about a gateway. */
export interface BedOptions {
  /** Peers need tokens signed with `SECRET`. */
  readonly isSecured?: boolean;
  readonly budgetBytes?: number;
  readonly dur?: 0 | 1 | 2;
}

/** The name of the node under test. */
export const NODE = 'node-1';

/**
 * A real gateway inside the test's process, put together as `serve` does it: real HTTP, real
 * WebSockets, the real core and clock; its log can be looked into and stopped.
 */
export class Bed {
  readonly log: KeptLog;
  readonly driver: Driver;
  readonly #server: Server;
  readonly #sockets: WsServer;
  #devices = 0;

  constructor({ isSecured = false, budgetBytes = 1 << 28, dur = 0 }: BedOptions = {}) {
    const access = isSecured ? securedAccess() : openAccess();
    const port = (): number => this.port;
    this.log = new KeptLog(SHARDS, dur);
    this.#sockets = new WsServer({
      node: NODE,
      port,
      access,
      refusalOf: (path, isLocal) =>
        this.driver.gateway.ingest.refusalOf(path, isLocal, this.driver.now()),
      input: (input) => this.driver.input(input),
    });
    this.driver = new Driver({
      log: this.log,
      sockets: this.#sockets,
      node: NODE,
      shards: SHARDS,
      budgetBytes,
      isOpen: access.isOpen,
      lingerMs: 0,
      own: randomBytes(8),
      random: Math.random,
      sha256: (bytes) => createHash('sha256').update(bytes).digest(),
      onUnreachable: fail,
      onOwned: () => undefined,
      onBroken: (_, reason) => fail(reason),
    });
    this.#server = createServer(httpOf(access, port));
    this.#sockets.attach(this.#server);
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    await this.driver.start();
    return this;
  }

  close(): void {
    this.driver.stop();
    this.#sockets.terminate();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Address of the host, to be completed by a path. Shape: `127.0.0.1:PORT`. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** A device path that no other row uses. */
  newDevice(): string {
    this.#devices += 1;
    return `bed/d${this.#devices}`;
  }
}

function securedAccess(): Access {
  return new TokenAccess({
    secret: createSecretKey(Buffer.from(SECRET)),
    wallMs: () => Date.now(),
    monoMs: () => performance.now(),
  });
}

function httpOf(access: Access, port: () => number): ReturnType<typeof createHttp> {
  const config = loadConfig({
    flags: { log: 'memory' },
    env: {},
    hostname: NODE,
    readFile: () => null,
  });
  return createHttp({
    node: NODE,
    port,
    access,
    ready: () => ({ ready: true, log: { kind: 'memory', state: 'ok' }, rung: 0, reasons: [] }),
    metrics: () => '# none\n',
    api: () => figures(config),
    stats: () => ({}),
  });
}

function fail(reason: string): never {
  throw new Error(`the gateway under test gave up: ${reason}`);
}

/** One gateway for all rows of a file; call the result within a row. */
export function useBed(options: BedOptions = {}): () => Bed {
  let bed: Bed | undefined;
  beforeAll(async () => {
    bed = await new Bed(options).open();
  });
  afterAll(() => bed?.close());
  return () => {
    if (bed === undefined) throw new Error('the gateway is opened before the rows run');
    return bed;
  };
}
