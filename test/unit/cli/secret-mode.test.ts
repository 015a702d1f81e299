import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isSecretOpen } from '../../../src/cli/secret-mode.ts';
import type { Config } from '../../../src/config/config.ts';

let directory: string;
let secretFile: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidegate-secret-'));
  secretFile = join(directory, 'secret');
  writeFileSync(secretFile, 'x');
});
afterAll(() => rmSync(directory, { recursive: true }));

const isOpen = (name: string): boolean =>
  isSecretOpen({ auth: { secretFile: name } as Config['auth'] });

it.each([
  [0o600, false],
  [0o640, false],
  [0o644, true],
  [0o604, true],
])('a secret of mode %o is open to others: %s', (mode, isIt) => {
  chmodSync(secretFile, mode);
  expect(isOpen(secretFile)).toBe(isIt);
});

it('in open mode, and where there is no file, there is nothing to warn of', () => {
  expect(isSecretOpen({ auth: null })).toBe(false);
  expect(isOpen(join(directory, 'no'))).toBe(false);
});
