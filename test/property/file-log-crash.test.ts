import fc from 'fast-check';
import { it } from 'vitest';
import { StartError } from '../../src/adapters/log/start-error.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { type Call, LogModel, openModelled, SEGMENT_BYTES, SHARDS } from '../support/log-model.ts';
import { seeded } from '../support/random.ts';

const DIRECTORY = '/data/log-under-test';

const call: fc.Arbitrary<Call> = fc.record({
  rows: fc.array(
    fc.record({
      // Often alike, so that leftovers of one life can fit behind the records of the next. No
      // alarms, which may go ahead: the model expects the order of the calls.
      log: fc.constantFrom(0, 0, 0, 2),
      shard: fc.oneof(fc.constant(0), fc.nat(SHARDS - 1)),
      size: fc.oneof(fc.constant(600), fc.nat(40), fc.nat(700), fc.nat(3000)),
      isZeros: fc.boolean(),
    }),
    { maxLength: 12 },
  ),
  letters: fc.constantFrom(0, 0, 0, 1, 3),
  schemas: fc.constantFrom(0, 0, 0, 1, 2),
  isAwaited: fc.boolean(),
});

const life = fc.record({
  calls: fc.array(call, { maxLength: 8 }),
  dieAfter: fc.oneof(fc.nat(25), fc.nat(120), fc.constant(Infinity)),
  ending: fc.constantFrom('powerCut', 'powerCut', 'kill'),
  shortWrite: fc.constantFrom(0, 0.3),
  noSpace: fc.constantFrom(0, 0.2),
  freeBytes: fc.constantFrom(Infinity, SEGMENT_BYTES / 2),
  failSync: fc.constantFrom(0, 0, 0.05),
});
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

/** One life of the process: start, compare, append until it dies. */
async function live(files: FaultyFiles, model: LogModel, drawn: Life): Promise<void> {
  const { shortWrite, noSpace, freeBytes, failSync, dieAfter } = drawn;
  Object.assign(files.faults, { shortWrite, noSpace, freeBytes, failSync, dieAfter });
  const log = await openModelled(files, DIRECTORY).catch((error: unknown) => {
    // A start may meet a full or failing disk, but a crash never looks like damage.
    if (error instanceof StartError && !error.message.includes('damaged')) return null;
    throw error;
  });
  if (log === null) return;
  await model.check(log, files, DIRECTORY);
  const calls: Promise<void>[] = [];
  for (const asked of drawn.calls) {
    const done = model.append(log, asked);
    calls.push(done);
    if (asked.isAwaited) await done;
  }
  await Promise.all(calls);
}

it('finds every acknowledged record after crashes, in order, and nothing else', async () => {
  const lives = fc.array(life, { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.nat(), lives, async (seed, drawn) => {
      const model = new LogModel();
      let files = new FaultyFiles(seeded(seed));
      for (const each of drawn) {
        await Promise.race([live(files, model, each), files.died]);
        files = files[each.ending]();
      }
      const log = await openModelled(files, DIRECTORY);
      await model.check(log, files, DIRECTORY);
      await log.close();
    }),
    { numRuns: 400 },
  );
});
