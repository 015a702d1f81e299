import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh directory and how to get rid of it. */
export interface TemporaryDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes a directory for one test. */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
