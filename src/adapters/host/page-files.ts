import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** One file of the page, ready to be sent. */
export interface PageFile {
  readonly bytes: Uint8Array;
  readonly type: string;
  /** A strong entity tag, with its quotes. */
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

const DASHBOARD = new URL('../../dashboard/', import.meta.url);

/**
 * The page and its files by path, `/` being index.html, read once at start. The chart library comes
 * out of its own package, so that there is nothing to build and nothing to copy.
 * Guarantee: what is not in this map is never read from the disk, whatever a request asks for.
 */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(DASHBOARD)) {
    if (typeOf(name) !== undefined) files.set(`/${name}`, pageFile(new URL(name, DASHBOARD)));
  }
  const index = files.get('/index.html');
  if (index !== undefined) files.set('/', index);
  const uplot = import.meta.resolve('uplot');
  files.set('/uplot.js', pageFile(new URL('uPlot.iife.min.js', uplot)));
  files.set('/uplot.css', pageFile(new URL('uPlot.min.css', uplot)));
  return files;
}

function pageFile(url: URL): PageFile {
  const bytes = readFileSync(url);
  const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  return { bytes, type: typeOf(url.pathname) ?? 'application/octet-stream', etag: `"${digest}"` };
}

function typeOf(name: string): string | undefined {
  return TYPES[name.slice(name.lastIndexOf('.') + 1)];
}
