import { parentPort } from 'node:worker_threads';
import { makeCredit } from './allocator-credit.ts';
import { runScenario, type ScenarioTask } from './run-scenario.ts';

/** One of the threads that run scenarios: a task comes in, its outcome goes out. */
parentPort?.on('message', ({ name, seed }: ScenarioTask) => {
  parentPort?.postMessage(runScenario(name, makeCredit, seed));
});
