import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { batchOf } from '../support/batches.ts';
import { describeKafka, kafkaBrokers, topicPrefix } from '../support/kafka/cluster.ts';
import { openLog } from '../support/kafka/open-log.ts';

/** A machine that hangs: the system takes connections, and nothing is ever said. */
describeKafka('with a broker that hangs, a log', () => {
  let mute: Server;
  let brokers: string[];
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    mute = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    brokers = [`127.0.0.1:${(mute.address() as AddressInfo).port}`, ...kafkaBrokers()];
  });

  afterEach(() => {
    vi.restoreAllMocks();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    mute.close();
  });

  it('that asks it first goes on to the next one', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { log } = openLog({ prefix: topicPrefix('mute'), brokers });
    expect([...(await log.append(batchOf({}))).offsets]).toEqual([0]);
    expect(sockets.size).toBeGreaterThan(0);
    await log.close();
  });

  it('need not ask it first', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    const { log } = openLog({ prefix: topicPrefix('mute'), brokers });
    expect([...(await log.append(batchOf({}))).offsets]).toEqual([0]);
    expect(sockets.size).toBe(0);
    await log.close();
  });
});
