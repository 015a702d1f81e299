import { type Breach, breach } from '../../model/errors.ts';
import type { Identity } from '../../model/identity.ts';
import { PATH_BYTES_MAX, READ_SCOPES_MAX } from '../../model/limits.ts';
import { isPath, parsePattern } from '../../model/pattern.ts';

/** The claims of a token that say something here. Others are ignored. */
export interface Claims {
  readonly sub?: unknown;
  readonly scope?: unknown;
  readonly exp?: unknown;
}

/** What a token may allow, in words of its `scope`. Source: INTERFACE, token. */
export interface Scopes {
  readonly isPublisher: boolean;
  /** Topic patterns. */
  readonly reads: readonly string[];
  readonly isMetricsReader: boolean;
}

const PUBLISH = 'publish';
const METRICS = 'metrics';
const READ = 'read:';
/** Names may stand in logs: printable, without spaces. */
const SUBJECT = /^[!-~]{1,255}$/;

/** Writes scopes as the claim `scope`. */
export function scopeOf({ isPublisher, reads, isMetricsReader }: Scopes): string {
  const words = reads.map((pattern) => `${READ}${pattern}`);
  if (isPublisher) words.unshift(PUBLISH);
  if (isMetricsReader) words.push(METRICS);
  return words.join(' ');
}

/**
 * Who the claims of a good signature stand for. Scopes that are not ours allow nothing; a `publish`
 * whose subject is no device path does neither.
 * Rejects: 4003 expired, or claims of the wrong form; 4004 more read scopes than there may be.
 */
export function identityOf(claims: Claims, nowMs: number): Identity | Breach {
  const { sub, scope = '', exp } = claims;
  if (typeof exp !== 'number') return breach(4003, 'the token has no exp');
  if (exp * 1000 <= nowMs) return breach(4003, 'the token has expired');
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) {
    return breach(4003, 'sub of the token must be a device path or a name without spaces');
  }
  if (typeof scope !== 'string') return breach(4003, 'scope of the token must be text');
  const words = new Set(scope.split(' '));
  const reads = readsOf(words);
  if (reads.length > READ_SCOPES_MAX) {
    return breach(4004, `more than ${READ_SCOPES_MAX} read scopes in a token`);
  }
  return {
    subject: sub,
    isPublisher: words.has(PUBLISH) && isPath(sub, PATH_BYTES_MAX),
    reads,
    isMetricsReader: words.has(METRICS),
    expiresUs: exp * 1_000_000,
  };
}

function readsOf(words: ReadonlySet<string>): (readonly string[])[] {
  const reads: (readonly string[])[] = [];
  for (const word of words) {
    const levels = word.startsWith(READ) ? parsePattern(word.slice(READ.length)) : null;
    if (levels !== null) reads.push(levels);
  }
  return reads;
}
