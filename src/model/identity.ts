import { PATH_BYTES_MAX } from './limits.ts';
import { isPath } from './pattern.ts';

/** Who a peer is and what it may do, as its credential says. Source: PROTOCOL §2.1, §15. */
export interface Identity {
  /** Device path, or the name of somebody who only reads; empty for nobody in particular. */
  readonly subject: string;
  /** It may publish everything below `subject`, which then is a device path. */
  readonly isPublisher: boolean;
  /** Topic patterns by level: it may read what matches one of them. */
  readonly reads: readonly (readonly string[])[];
  /** It may read `/metrics`. */
  readonly isMetricsReader: boolean;
  /** From then on it is nobody. Units: µs, wall clock; Infinity: never. */
  readonly expiresUs: number;
}

/** Everything may be read. */
const EVERYTHING: Identity['reads'] = [['#']];

/** Whoever comes without a token in open mode: may read everything. Source: [R2.1-17]. */
export const ANYBODY: Identity = {
  subject: '',
  isPublisher: false,
  reads: EVERYTHING,
  isMetricsReader: true,
  expiresUs: Number.POSITIVE_INFINITY,
};

/** Who a token stands for in open mode, where it is the device path; null if it is no path. */
export function openIdentity(token: string): Identity | null {
  if (!isPath(token, PATH_BYTES_MAX)) return null;
  return { ...ANYBODY, subject: token, isPublisher: true };
}
