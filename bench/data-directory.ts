import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const BYTES_LEAST = 4 * 1024 ** 3;

/**
 * A directory for the data of a gateway whose disk is slowed to a known rate: in memory if there is
 * room, for a real disk has its own ups and downs, and what it takes on top is not known.
 */
export function slowDiskDirectory(): string {
  return mkdtempSync(join(hasRoom() ? MEMORY : tmpdir(), 'tidegate-bench-'));
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= BYTES_LEAST;
  } catch {
    return false;
  }
}
