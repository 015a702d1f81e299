import { PATH_BYTES_MAX } from '../../model/limits.ts';
import { isPath } from '../../model/pattern.ts';

/**
 * The path of the device for which a token speaks: the `sub` of a JWT, unverified, since it only
 * has to tell devices apart; else the token itself, which in open mode is the path. Null: unknown.
 */
export function deviceOf(token: string | undefined): string | null {
  if (token === undefined) return null;
  const subject = subjectOf(token) ?? token;
  return isPath(subject, PATH_BYTES_MAX) ? subject : null;
}

function subjectOf(token: string): string | null {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return null;
  try {
    const text = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const claims = JSON.parse(text) as { readonly sub?: unknown } | null;
    return typeof claims?.sub === 'string' ? claims.sub : null;
  } catch {
    // Three levels with dots between them may be a path: then it is no JWT.
    return null;
  }
}
