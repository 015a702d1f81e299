/**
 * Makes `dist/` for the package, as `npm pack` and `npm publish` ask by `prepack`: what `node` runs
 * in the repository by type stripping, as JavaScript with declarations, because Node strips no
 * types inside node_modules. The page's files are served as they are.
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc');
const CONFIG = join(ROOT, 'tsconfig.build.json');
/** What page-files.ts serves; the page's tsconfig.json is ours alone. */
const SERVED = /\.(?:html|css|js|svg)$/;

// A file that the sources no longer have must not live on in the package.
rmSync(DIST, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [COMPILER, '-p', CONFIG], { stdio: 'inherit' });
if (status !== 0) process.exit(1);

const page = join(ROOT, 'src/dashboard');
const copy = join(DIST, 'src/dashboard');
mkdirSync(copy, { recursive: true });
for (const name of readdirSync(page).filter((file) => SERVED.test(file))) {
  copyFileSync(join(page, name), join(copy, name));
}
