import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { lineOf } from './corpus.ts';
import type { Failure } from './fuzzer.ts';
import { lastInput, type Note, type Orders, sharedInput } from './notes.ts';

/** `npm run fuzz`: see README.md. */
const USAGE = `usage: npm run fuzz -- [options]

  --inputs N   so many inputs, after those of the corpus (default 100000)
  --seed S     default 1; one seed gives the same inputs
`;
const LOOK_MS = 1000;
/** An input that takes so long does not end. Units: ms. */
const STUCK_MS = 30_000;
const HEX_MAX = 2000;
const EXIT_USAGE = 78;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function ordersOf(argv: string[]): Orders | null {
  const { values } = parseArgs({
    args: argv,
    options: {
      inputs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const [inputs, seed] = [Number(values.inputs), Number(values.seed)];
  if (!Number.isSafeInteger(inputs) || inputs < 1) throw new Error('--inputs takes a number');
  if (!Number.isSafeInteger(seed)) throw new Error('--seed takes a number');
  return { inputs, seed, shared: sharedInput() };
}

function tellFailure({ target, kind, what, index, bytes, smallest }: Failure, seed: number): void {
  const place = index === 0 ? 'of the corpus' : `${index} of seed ${seed}`;
  print(`\n${kind.toUpperCase()} in ${target}, input ${place}, ${bytes.length} bytes: ${what}`);
  const hex = Buffer.from(bytes).toString('hex');
  print(`input: ${hex.length > HEX_MAX ? `${hex.slice(0, HEX_MAX)}…` : hex}`);
  print('keep it: a line for test/fuzz/corpus/inputs.txt, with a word why:');
  print(`${lineOf({ target, bytes: smallest, why: 'WHY' })}\n`);
}

/** Runs the thread, and prints what it says. Returns the code to exit with. */
function run(orders: Orders): Promise<number> {
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: orders });
  return new Promise((resolve, reject) => {
    let seen = { count: 0, at: performance.now() };
    const watch = setInterval(() => {
      const { count, target, bytes } = lastInput(orders.shared);
      if (count !== seen.count) seen = { count, at: performance.now() };
      if (performance.now() - seen.at < STUCK_MS) return;
      const what = `does not end within ${STUCK_MS} ms`;
      tellFailure(
        { target, kind: 'crash', what, index: count, bytes, smallest: bytes },
        orders.seed,
      );
      print(`${count} inputs, 1 crashes`);
      clearInterval(watch);
      void worker.terminate().then(() => resolve(1));
    }, LOOK_MS);
    worker.on('message', (note: Note) => {
      if (note.kind === 'line') print(note.line);
      else if (note.kind === 'failure') tellFailure(note.failure, orders.seed);
      else {
        clearInterval(watch);
        resolve(verdictOf(note));
      }
    });
    worker.on('error', reject);
  });
}

function verdictOf(end: Extract<Note, { kind: 'end' }>): number {
  if (end.slow > 0)
    print(`${end.slow} inputs took more than 5 ms in the fastest of five repetitions`);
  if (end.hasGrown) print('the heap grows with the inputs');
  print(`${end.inputs} inputs, ${end.crashes} crashes`);
  return end.crashes > 0 || end.slow > 0 || end.hasGrown ? 1 : 0;
}

try {
  const orders = ordersOf(process.argv.slice(2));
  if (orders === null) print(USAGE);
  else process.exitCode = await run(orders);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
