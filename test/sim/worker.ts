import { parentPort } from 'node:worker_threads';
import { runSeed } from './run-seed.ts';

/** One of the processes that run seeds: a seed comes in, its outcome goes out. */
parentPort?.on('message', (seed: number) => {
  parentPort?.postMessage(runSeed(seed));
});
