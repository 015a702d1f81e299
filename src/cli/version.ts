import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/**
 * The version of this package, from its package.json: asked for by the package's own name, because
 * the file is not equally far from `src/` and from `dist/`.
 */
export function versionOf(): string {
  return (load('tidegate/package.json') as { version: string }).version;
}
