import type { IncomingMessage } from 'node:http';
import { type Breach, CODES } from '../../model/errors.ts';

/** Why a request is not served: the HTTP status, the code of the body, and a sentence. */
export interface Refusal {
  readonly status: number;
  /** The protocol's code where it has one for this (PROTOCOL §10.3, §13), else the HTTP status. */
  readonly code: number;
  readonly message: string;
  /** How long to stay away, where that is known. Units: ms. */
  readonly waitMs?: number | undefined;
}

/** The HTTP status of what the protocol says with a code. Source: [R2.1-8], [R10.3-5]. */
const STATUSES: Readonly<Partial<Record<number, number>>> = {
  4003: 401,
  4004: 403,
  4100: 503,
  4101: 429,
};

/** A breach as an HTTP refusal. */
export const refusalOf = ({ code, message, waitMs }: Breach): Refusal => ({
  status: STATUSES[code] ?? 400,
  code,
  message,
  waitMs,
});

/** What the guard reads of a request; an `IncomingMessage` is one. */
export type Asking = Pick<IncomingMessage, 'headers'>;

const LOOPBACK_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;
const OWN_ORIGIN = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::(\d{1,5}))?$/i;
const HTTP_PORT = 80;

const forbidden = (detail: string): Refusal => ({
  status: 403,
  code: 4004,
  message: `${CODES[4004].sentence}: ${detail}`,
});

/**
 * The guard of open mode: a page of another site, or a name that was rebound to this machine, must
 * not speak to a gateway that asks nobody for credentials. Null means: go on.
 *
 * Rejects: 403 (4004) for a `Host` that is not 127.0.0.1, localhost or [::1], and for an `Origin`
 * that is not `http://`, one of these and `port`. The text repeats nothing of the request.
 * Source: [R2.1-19].
 */
export function refusal(request: Asking, port: number): Refusal | null {
  const { host, origin } = request.headers;
  if (host === undefined || !LOOPBACK_HOST.test(host)) {
    return forbidden('in open mode Host must be 127.0.0.1, localhost or [::1]');
  }
  if (origin !== undefined && originPort(origin) !== port) {
    return forbidden(`in open mode Origin must be the page of this gateway, on port ${port}`);
  }
  return null;
}

/** The port of a loopback origin; −1 for every other origin, `null` and an empty one too. */
function originPort(origin: string): number {
  const match = OWN_ORIGIN.exec(origin);
  if (match === null) return -1;
  return match[1] === undefined ? HTTP_PORT : Number(match[1]);
}
