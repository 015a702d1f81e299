const NODE_PATH = /^\/n\/([A-Za-z0-9-]{1,63})\/v1$/;

/**
 * Where the path of a request leads: to a WebSocket of this node, to another node's, to something
 * else of this server, or, not being a path at all, nowhere. Source: [R2.1-1], [R2.1-2].
 */
export type Target = 'socket' | 'other-node' | 'path' | 'none';

/** The path of a request target without its query; empty text when it is no path. */
export function pathOf(url: string | undefined): string {
  if (url === undefined || !url.startsWith('/')) return '';
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

/** Says where `path` leads, on the node called `node`. */
export function targetOf(path: string, node: string): Target {
  if (path === '') return 'none';
  if (path === '/v1') return 'socket';
  const name = NODE_PATH.exec(path)?.[1];
  if (name === undefined) return 'path';
  return name === node ? 'socket' : 'other-node';
}
