import { parentPort, workerData } from 'node:worker_threads';
import { readCorpus } from './corpus.ts';
import { clockName } from './cpu-clock.ts';
import { Fuzzer } from './fuzzer.ts';
import { HeapWatch } from './heap-watch.ts';
import type { Note, Orders } from './notes.ts';
import { noteInput } from './notes.ts';
import { allTargets } from './targets/all.ts';

/**
 * Where the fuzzer runs: beside it the main thread sees an input that never ends, which nobody in
 * the same thread could.
 */

const PROGRESS_MS = 5000;
/** How often the clock is looked at. Units: inputs. */
const LOOK_EVERY = 256;

const { inputs, seed, shared } = workerData as Orders;
const tell = (note: Note): void => parentPort?.postMessage(note);

const fuzzer = new Fuzzer(allTargets(), {
  seed,
  report: (failure) => tell({ kind: 'failure', failure }),
});
fuzzer.onInput = (target, bytes) => noteInput(shared, target, bytes);

tell({ kind: 'line', line: `timed by: ${clockName}` });
const kept = fuzzer.runKept(readCorpus());
tell({ kind: 'line', line: `corpus: ${kept} inputs, ${fuzzer.crashes} crashes` });

const heap = new HeapWatch((line) => tell({ kind: 'line', line }));
const begun = performance.now();
let toldAt = begun;
while (fuzzer.inputs < inputs) {
  fuzzer.step();
  heap.look(fuzzer.inputs);
  if (fuzzer.inputs % LOOK_EVERY !== 0 || performance.now() - toldAt < PROGRESS_MS) continue;
  toldAt = performance.now();
  const perSecond = Math.round(fuzzer.inputs / ((toldAt - begun) / 1000));
  tell({
    kind: 'line',
    line: `${fuzzer.inputs} inputs, ${perSecond}/s, ${fuzzer.crashes} crashes, ${fuzzer.slow} slow`,
  });
}
tell({ kind: 'line', line: fuzzer.summary });
const { crashes, slow, slowest } = fuzzer;
const { target, index, ms } = slowest;
const most = ms === 0 ? 'none above 1 ms' : `${ms.toFixed(1)} ms (${target}, input ${index})`;
tell({ kind: 'line', line: `slowest, in the fastest of five repetitions: ${most}` });
tell({ kind: 'end', inputs: fuzzer.inputs, crashes, slow, hasGrown: heap.hasGrown });
