import { type AddressInfo, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import type { Address } from './kafka-protocol.ts';
import { type Fate, type LinkPort, ProxyLink, type SeenRequest } from './proxy-link.ts';

/** Decides about requests, and hears what came of them. */
export interface ProxyRules {
  fateOf(request: SeenRequest): Fate;
  answered(request: SeenRequest): void;
  /** A partition that is left out of an answer that tells of these topics. */
  isHidden(topic: string, partition: number, topics: readonly string[]): boolean;
}

/** Rules under which everything passes. */
export const CALM: ProxyRules = {
  fateOf: () => ({ kind: 'pass' }),
  answered: () => undefined,
  isHidden: () => false,
};

/** How often it is looked whether late requests have arrived. Units: ms. */
const LOOK_MS = 50;

/**
 * A proxy in front of every broker of a cluster, in this process. It changes the addresses in the
 * cluster's answers, so a client that is given `brokers` never reaches the cluster in another way.
 */
export class KafkaProxy {
  /** Decides about every request. */
  rules: ProxyRules = CALM;
  readonly #servers = new Map<string, Server>();
  readonly #links = new Set<ProxyLink>();
  #opened = 0;
  #isDown = false;

  private constructor() {}

  /** Opens a listener for each broker of a cluster that is up. */
  static async open(brokers: readonly string[]): Promise<KafkaProxy> {
    const proxy = new KafkaProxy();
    for (const address of await brokersOf(brokers)) await proxy.#listen(address);
    return proxy;
  }

  /** Shape: `host:port`, for clients. */
  get brokers(): readonly string[] {
    return [...this.#servers.values()].map((server) => `127.0.0.1:${portOf(server)}`);
  }

  /** Cuts every connection and refuses new ones, or lets them in again. */
  set isDown(isDown: boolean) {
    this.#isDown = isDown;
    if (isDown) for (const link of this.#links) link.cut();
  }

  /** Resolves when nothing of clients that have gone is under way any more. */
  async settled(): Promise<void> {
    while ([...this.#links].some(({ isOrphan }) => isOrphan)) await sleep(LOOK_MS);
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.destroy();
    const servers = [...this.#servers.values()];
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #listen(to: Address): Promise<void> {
    const port: LinkPort = {
      fateOf: (request) => this.rules.fateOf(request),
      answered: (request) => this.rules.answered(request),
      isHidden: (...partition) => this.rules.isHidden(...partition),
      address: (of) => this.#addressOf(of),
      closed: (link) => this.#links.delete(link),
    };
    const server = createServer((client) => {
      if (this.#isDown) {
        client.on('error', () => undefined).destroy();
        return;
      }
      this.#opened += 1;
      this.#links.add(new ProxyLink(client, to, { id: this.#opened, port }));
    });
    this.#servers.set(nameOf(to), server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
  }

  #addressOf(of: Address): Address {
    const server = this.#servers.get(nameOf(of));
    if (!server) throw new Error(`the proxy does not know the broker ${nameOf(of)}`);
    return { host: '127.0.0.1', port: portOf(server) };
  }
}

/** The brokers of a cluster, by the addresses that they advertise. */
async function brokersOf(bootstrap: readonly string[]): Promise<Address[]> {
  const kafka = new Kafka({ brokers: [...bootstrap], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { brokers } = await admin.describeCluster();
    return brokers
      .toSorted((a, b) => a.nodeId - b.nodeId)
      .map(({ host, port }) => ({ host, port }));
  } finally {
    await admin.disconnect();
  }
}

const nameOf = ({ host, port }: Address): string => `${host}:${port}`;

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
