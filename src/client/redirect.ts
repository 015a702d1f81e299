/** Redirects followed in a row before the client goes back to its own URL. Source: [R10.2-3]. */
export const HOPS_MAX = 3;

/**
 * True if a client that was configured with `home` may follow a redirect to `to`.
 * Its scheme is `wss:` or that of `home`, and its host equals that of `home` or a trusted one, or
 * is under it. Source: [R10.2-2].
 */
export function mayFollow(to: string, home: string, trustedHosts: readonly string[]): boolean {
  const target = URL.parse(to);
  const own = URL.parse(home);
  if (!target || !own) return false;
  if (target.protocol !== 'wss:' && target.protocol !== own.protocol) return false;
  const hosts = [own.hostname, ...trustedHosts];
  return hosts.some((host) => target.hostname === host || target.hostname.endsWith(`.${host}`));
}
