import { describe, expect, it } from 'vitest';
import { GROUP_BYTES_MAX, sealEntry, viewOf } from '../../src/adapters/log/entry.ts';
import type { LogFile } from '../../src/adapters/log/files.ts';
import { judgeTail } from '../../src/adapters/log/tail.ts';
import { FaultyFiles } from '../support/faulty-files.ts';

/** An entry of `bytes` bytes without a zero in its body. */
function entry(sequence: number, bytes: number, fill = 7): Uint8Array {
  const entryBytes = new Uint8Array(bytes).fill(fill);
  sealEntry(viewOf(entryBytes), 0, bytes, sequence);
  return entryBytes;
}

/** A file with these bytes at these places, and zeros up to `size`. */
async function fileOf(size: number, ...parts: readonly [number, Uint8Array][]): Promise<LogFile> {
  const file = await new FaultyFiles(() => 0.5).open('/file', 'create');
  await file.write(new Uint8Array(size), 0);
  for (const [position, bytes] of parts) await file.write(bytes, position);
  return file;
}

/** The scan stopped at byte 1000 and expects entry 10 there. */
const stop = { position: 1000, sequence: 10 };

describe('what lies behind the last record', () => {
  it.each([1000, 1001, 1512, 64 * 1024, 3_000_000])(
    'is clean with zeros up to %d',
    async (size) => {
      expect(await judgeTail(await fileOf(size), stop)).toEqual({ kind: 'clean' });
    },
  );

  it('is torn where a record is not whole and nothing whole follows', async () => {
    const part = entry(10, 900).subarray(0, 400);
    const file = await fileOf(65536, [1000, part]);
    expect(await judgeTail(file, stop)).toEqual({ kind: 'torn', end: 1400, entries: 0 });
  });

  it('is torn where bytes are left far behind zeros', async () => {
    const file = await fileOf(200_000, [150_000, Uint8Array.of(1)]);
    expect(await judgeTail(file, stop)).toEqual({ kind: 'torn', end: 150_001, entries: 0 });
  });

  it('is torn where the first sector of a group was never written, but later ones were', async () => {
    // Entry 10 fills the rest of the sector that holds byte 1000, and one more byte.
    const file = await fileOf(65536, [1025, entry(11, 600)], [1625, entry(12, 300)]);
    expect(await judgeTail(file, stop)).toEqual({ kind: 'torn', end: 1925, entries: 2 });
  });

  it('is torn with a second hole, if that one has an unwritten sector too', async () => {
    const file = await fileOf(65536, [1025, entry(11, 600)], [3000, entry(13, 300)]);
    expect(await judgeTail(file, stop)).toEqual({ kind: 'torn', end: 3300, entries: 2 });
  });

  it.each([256, 512, 65536])('finds a leftover of %d bytes behind much zero', async (length) => {
    // The length that begins this entry begins itself with zero bytes.
    const leftover = entry(11, length + 8);
    const at = 3 * 4096 - 2;
    const tail = await judgeTail(await fileOf(200_000, [at, leftover]), stop);
    expect(tail).toEqual({ kind: 'torn', end: at + leftover.length, entries: 1 });
  });

  it('is damaged where a flipped bit is followed by a whole record', async () => {
    const flipped = entry(10, 900);
    flipped[500] = 8;
    const file = await fileOf(65536, [1000, flipped], [1900, entry(11, 60)]);
    expect(await judgeTail(file, stop)).toEqual({ kind: 'damaged', at: 1900 });
  });

  it('is damaged where a second hole has no unwritten sector', async () => {
    const flipped = entry(12, 900);
    flipped[500] = 8;
    const file = await fileOf(
      65536,
      [1025, entry(11, 600)],
      [1625, flipped],
      [2525, entry(13, 100)],
    );
    expect(await judgeTail(file, stop)).toEqual({ kind: 'damaged', at: 2525 });
  });

  it('is damaged where a whole record is too far behind for one group', async () => {
    const near = stop.position + GROUP_BYTES_MAX - 100;
    const size = GROUP_BYTES_MAX + 65536;
    const isNear = await judgeTail(await fileOf(size, [near, entry(20, 100)]), stop);
    expect(isNear.kind).toBe('torn');
    const isFar = await judgeTail(await fileOf(size, [near + 1, entry(20, 100)]), stop);
    expect(isFar).toEqual({ kind: 'damaged', at: near + 1 });
  });

  it('is damaged where the expected record stands somewhere else', async () => {
    const file = await fileOf(65536, [2048, entry(10, 100)]);
    expect(await judgeTail(file, stop)).toEqual({ kind: 'damaged', at: 2048 });
  });

  it('is damaged where a record follows at once, but is not the next one', async () => {
    const file = await fileOf(65536, [1000, entry(12, 100)]);
    expect(await judgeTail(file, stop)).toEqual({ kind: 'damaged', at: 1000 });
  });

  it('is damaged where neighbours do not count on', async () => {
    const file = await fileOf(65536, [2048, entry(11, 100)], [2148, entry(13, 100)]);
    expect(await judgeTail(file, stop)).toEqual({ kind: 'damaged', at: 2148 });
  });

  it('does not take an older record for a newer one', async () => {
    const file = await fileOf(65536, [2048, entry(9, 100)]);
    expect(await judgeTail(file, stop)).toEqual({ kind: 'torn', end: 2148, entries: 0 });
  });

  it('is found across the reads of a large file', async () => {
    for (const at of [1024 * 1024 + 900, 1024 * 1024 + 999, 1024 * 1024 + 1000]) {
      const file = await fileOf(3_000_000, [at, entry(11, 2000)], [at + 2000, entry(12, 2000)]);
      expect(await judgeTail(file, stop)).toEqual({ kind: 'torn', end: at + 4000, entries: 2 });
    }
  });
});
