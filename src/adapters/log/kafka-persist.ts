import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaCluster } from './kafka-connection.ts';
import { startErrorOf } from './kafka-errors.ts';

const FIRST_WAIT_MS = 100;
const WAIT_MS_MAX = 1000;

/**
 * Repeats `step` until it works; `onTrouble` is told each time what went wrong.
 * Rejects: `StartError` 78 for what will not get better by itself; when the log is closed.
 */
export async function persist<T>(
  cluster: KafkaCluster,
  step: () => Promise<T>,
  onTrouble: (error: unknown) => void,
): Promise<T> {
  const { signal, brokers } = cluster;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, WAIT_MS_MAX)) {
    try {
      return await step();
    } catch (error) {
      signal.throwIfAborted();
      const refusal = startErrorOf(error, brokers);
      if (refusal) throw refusal;
      onTrouble(error);
    }
    await sleep(waitMs, undefined, { signal });
  }
}
