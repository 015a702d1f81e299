import { type Breach, breach } from '../model/errors.ts';
import type { Identity } from '../model/identity.ts';
import {
  PATTERN_BYTES_MAX,
  PATTERNS_MAX,
  SUB_LIMIT_LEAST,
  SUBSCRIBER_BYTES_MAX,
  SUBSCRIPTIONS_MAX,
} from '../model/limits.ts';
import { overlaps, parsePattern } from '../model/pattern.ts';
import { AGGREGATES, type Aggregate } from '../model/window.ts';
import type { Sub } from '../wire/messages.ts';

/** Aggregates of a `sub` that names none. Source: [R11.1-3]. */
const AGGREGATES_DEFAULT = ['mean'];
const NAMES: ReadonlySet<string> = new Set(AGGREGATES);

/** What a `sub` asks for, checked. */
export interface Plan {
  readonly c: number;
  /** Topic patterns by level. */
  readonly patterns: readonly (readonly string[])[];
  /** Of what matches, only what matches one of these too may be seen. Source: [R11.1-2]. */
  readonly reads: Identity['reads'];
  /** Window length. Units: ms. */
  readonly lengthMs: number;
  readonly aggregates: readonly Aggregate[];
  /** Least time between two updates of one series (`r`). Units: ms. */
  readonly restMs: number;
  /** How much past the picture holds. Units: µs. */
  readonly histUs: number;
  /** Initial limit; null without credit. Units: bytes of cost. */
  readonly limit: number | null;
}

/** What the node and the session can serve. */
export interface Offer {
  readonly windowsMs: readonly number[];
  /** Largest message that the session takes. Units: bytes. */
  readonly messageBytesMax: number;
  /** How many subscriptions it has already. */
  readonly subscriptions: number;
  /** Patterns of what it may read. */
  readonly reads: Identity['reads'];
}

/**
 * Checks a `sub`. Rejects (as `state` 4): 4009 over a limit, 4000 bad pattern, 4005 not served, 4004
 * nothing there may be read.
 */
export function planOf(sub: Sub, offer: Offer): Plan | { readonly refusal: Breach } {
  const refusal = overLimit(sub, offer) ?? unserved(sub, offer);
  if (refusal !== undefined) return { refusal };
  const patterns: (readonly string[])[] = [];
  for (const pattern of sub.p) {
    const levels = parsePattern(pattern);
    if (levels === null) return { refusal: breach(4000, 'a pattern is no pattern of topics') };
    patterns.push(levels);
  }
  const { reads } = offer;
  if (!patterns.some((pattern) => reads.some((read) => overlaps(pattern, read)))) {
    return { refusal: breach(4004, 'nothing there may be read with this credential') };
  }
  return {
    c: sub.c,
    patterns,
    reads,
    lengthMs: sub.win,
    aggregates: (sub.agg ?? AGGREGATES_DEFAULT) as readonly Aggregate[],
    restMs: sub.r ?? 0,
    histUs: (sub.hist ?? 0) * 1000,
    limit: sub.lim ?? null,
  };
}

/** Source: PROTOCOL §14, [R11.5-2]. */
function overLimit(sub: Sub, offer: Offer): Breach | undefined {
  if (offer.subscriptions >= SUBSCRIPTIONS_MAX) {
    return breach(4009, `more than ${SUBSCRIPTIONS_MAX} subscriptions on a connection`);
  }
  if (offer.messageBytesMax < SUBSCRIBER_BYTES_MAX) {
    return breach(4009, `to subscribe, rx must be at least ${SUBSCRIBER_BYTES_MAX}`);
  }
  if (sub.lim !== undefined && sub.lim < SUB_LIMIT_LEAST) {
    return breach(4009, `lim must be at least ${SUB_LIMIT_LEAST}`);
  }
  if (sub.p.length > PATTERNS_MAX) return breach(4009, `more than ${PATTERNS_MAX} patterns`);
  if (sub.p.some((pattern) => pattern.length > PATTERN_BYTES_MAX)) {
    return breach(4009, `a pattern is longer than ${PATTERN_BYTES_MAX} bytes`);
  }
  return undefined;
}

/** Source: [R11.1-8]. */
function unserved(sub: Sub, offer: Offer): Breach | undefined {
  if (sub.md === 1) return breach(4005, 'event mode (md 1) is not served yet');
  if (sub.md !== undefined && sub.md !== 0) return breach(4005, 'unknown mode');
  if (sub.grp === 1) return breach(4005, 'groups (grp 1) are not served yet');
  if (sub.grp !== undefined && sub.grp !== 0) return breach(4005, 'unknown grouping');
  if (sub.win === 0) return breach(4005, 'latest raw values (win 0) are not served yet');
  if (!offer.windowsMs.includes(sub.win)) {
    return breach(4005, `unknown window; this server has ${offer.windowsMs.join(', ')} ms`);
  }
  const names = sub.agg ?? AGGREGATES_DEFAULT;
  if (!names.every((name) => NAMES.has(name))) {
    return breach(4005, `unknown aggregate; this server has ${AGGREGATES.join(' ')}`);
  }
  if (new Set(names).size < names.length) return breach(4005, 'an aggregate is named twice');
  return undefined;
}
