import { DashboardClient } from './dashboard-client.ts';
import { RawClient } from './raw-client.ts';

const CHANNEL = 4;
const AGGREGATES = ['n'] as const;
const WINDOW_MS = 1000;

/** A dashboard over a real WebSocket, on one connection: what it holds, and what became of it. */
export class WatchingDashboard {
  /** How often the server began anew with a picture. */
  resets = 0;
  /** The code with which its connection was closed, or null. */
  closedWith: number | null = null;
  readonly #held = new DashboardClient('cbor', CHANNEL, AGGREGATES);

  private constructor(client: RawClient) {
    client.socket.on('message', (payload: Buffer) => {
      const message = this.#held.receive(payload);
      if (!('c' in message) || message.c !== CHANNEL) return;
      if (message.k === 'state' && message.st === 0) this.resets += 1;
      client.say({ k: 'flow', f: [this.#held.flowEntry()] });
    });
    void client.closed.then(({ code }) => {
      this.closedWith = code;
    });
  }

  /** Subscribes to these series. */
  static async open(url: string, pattern: string): Promise<WatchingDashboard> {
    const client = await RawClient.open(url, 'tidegate.v1.cbor');
    client.say({ k: 'hello' });
    await client.until('welcome');
    const dashboard = new WatchingDashboard(client);
    const { limit: lim } = dashboard.#held;
    client.say({ k: 'sub', c: CHANNEL, p: [pattern], win: WINDOW_MS, agg: [...AGGREGATES], lim });
    await client.until('state', ({ st }) => st === 2);
    return dashboard;
  }

  /** Readings in all windows that it holds of a topic. */
  readings(topic: string): number {
    let sum = 0;
    for (const { values } of this.#held.windows(topic).values()) sum += Number(values[0]);
    return sum;
  }
}
