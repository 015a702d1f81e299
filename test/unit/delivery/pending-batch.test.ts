import { describe, expect, it } from 'vitest';
import { PendingBatch } from '../../../src/delivery/pending-batch.ts';
import { Pipeline } from '../../../src/delivery/pipeline.ts';
import { monoMs, wallUs } from '../../../src/model/time.ts';

const now = { monoMs: monoMs(0), wallUs: wallUs(0) };
const settlement = {
  deviceId: 1,
  session: 2,
  lane: 1,
  epoch: 3,
  n: 4,
  cost: 8256,
  readings: 6,
  refusal: null,
};

/** Fills a pipeline with rows of this size until it has gone through so many batches. */
function fill(bytes: number, batches: number): PendingBatch[] {
  const pipeline = new Pipeline(0);
  const seen = new Set<PendingBatch>();
  const value = new Uint8Array(bytes);
  const nothing = new Uint8Array(0);
  for (;;) {
    const batch = pipeline.batch(now);
    seen.add(batch);
    if (seen.size > batches) return [...seen].slice(0, batches);
    batch.note(batch.records.add(0, 0, nothing, nothing, value), settlement);
  }
}

describe('a batch that waits', () => {
  it.each([40, 100, 640, 8192])(
    'is closed before a row of %d bytes doubles its buffer',
    (bytes) => {
      for (const { records } of fill(bytes, 3)) {
        expect(records.bytes.length).toBeLessThanOrEqual(4 * 1024 * 1024);
        expect(records.log.length).toBeLessThanOrEqual(65_536);
        expect(records.size).toBeGreaterThan(0.4 * records.bytes.length);
      }
    },
  );

  it('is made as large as the one before it was filled, and never grows', () => {
    const [, second] = fill(106, 2);
    expect(second?.records.bytes.length).toBe(4 * 1024 * 1024);
    expect(second?.records.log.length).toBe(40_960);
  });

  it('keeps the cost of the largest message', () => {
    const batch = new PendingBatch();
    batch.note(0, { ...settlement, cost: 16 * 1024 + 64 });
    expect(batch.settlement(0)?.cost).toBe(16 * 1024 + 64);
  });

  it('knows of each row who is to be told, also once it was emptied and grew', () => {
    const batch = new PendingBatch();
    const refusal = { code: 4020, message: 'no such set' } as const;
    const nothing = new Uint8Array(0);
    const add = (): number => batch.records.add(0, 0, nothing, nothing, nothing);
    batch.note(add(), { ...settlement, refusal });
    batch.note(add(), settlement);
    expect(batch.settlement(0)).toMatchObject({ deviceId: 1, session: 2, refusal });
    expect(batch.settlement(1)).toMatchObject({ deviceId: 1, session: 0, refusal: null });
    batch.clear();
    for (let row = 0; row < 600; row += 1) {
      if (row % 2 === 0) batch.noteNobody(add());
      else batch.note(add(), { ...settlement, deviceId: row });
    }
    for (let row = 0; row < 600; row += 1) {
      const seen = batch.settlement(row);
      if (row % 2 === 0) expect(seen).toBeNull();
      else expect(seen).toMatchObject({ deviceId: row, cost: 8256, readings: 6, refusal: null });
    }
  });
});
