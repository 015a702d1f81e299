import { setTimeout as sleep } from 'node:timers/promises';
import { fetchEnds } from './kafka-admin.ts';
import type { KafkaCluster } from './kafka-connection.ts';
import { sentenceOf } from './kafka-errors.ts';
import type { KafkaState } from './kafka-state.ts';

/** So often a cluster is asked whether it is there, while nothing is appended. Units: ms. */
const LOOK_MS = 5000;
/** The same once it was not. Units: ms. */
const LOOK_AGAIN_MS = 1000;
const PARTY = 'watch';

/** What is watched, and who is told. */
export interface WatchParts {
  readonly cluster: KafkaCluster;
  readonly topics: readonly string[];
  readonly state: KafkaState;
  /** When the cluster confirmed something the last time. Units: ms, of `performance.now`. */
  readonly confirmedAtMs: () => number;
}

/**
 * Notices that the cluster has gone, or a partition has no leader, while no append would: without it
 * an idle gateway calls itself ready over a Kafka that is not there.
 */
export async function watchCluster(parts: WatchParts): Promise<void> {
  const { cluster, topics, state, confirmedAtMs } = parts;
  const { signal } = cluster;
  for (let waitMs = LOOK_MS; ; ) {
    await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    const quietMs = performance.now() - confirmedAtMs();
    // Appends that fail are tried again by themselves, and say why.
    if (quietMs < LOOK_MS || state.isStalledBeside(PARTY)) {
      state.clear(PARTY);
      waitMs = Math.max(LOOK_AGAIN_MS, LOOK_MS - quietMs);
    } else {
      waitMs = (await isThere(cluster, topics, state)) ? LOOK_MS : LOOK_AGAIN_MS;
    }
  }
}

async function isThere(
  cluster: KafkaCluster,
  topics: readonly string[],
  state: KafkaState,
): Promise<boolean> {
  try {
    await fetchEnds(cluster, topics);
    state.clear(PARTY);
    return true;
  } catch (error) {
    if (!cluster.signal.aborted) {
      const at = cluster.brokers.join(', ');
      state.stall(PARTY, `Kafka at ${at} cannot be used just now: ${sentenceOf(error)}`);
    }
    return false;
  }
}
