import { STATUS_CODES } from 'node:http';
import type { Refusal } from './guard.ts';

/** How long who was sent away for lack of room stays away. Units: ms. */
const RETRY_AFTER_MS = 5000;

/** One whole HTTP answer as a value. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/**
 * Headers of every answer: scripts, styles and connections from this origin only, no sniffing, no
 * framing, no referrer, and no other site may embed what is read here.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** A JSON answer that nobody may keep. */
export function jsonAnswer(status: number, value: unknown): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' },
    body: `${JSON.stringify(value)}\n`,
  };
}

/**
 * A refusal as everybody gets it, pages, scripts and upgrades alike.
 * Shape: body `{"error": code, "message": sentence}`. Source: INTERFACE, serve.
 */
export function errorAnswer(
  status: number,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const { body, headers: own } = jsonAnswer(status, { error: code, message });
  return { status, headers: { ...own, ...headers }, body };
}

/** The answer to a request that is refused. */
export function refusalAnswer(refused: Refusal): Answer {
  const { status, code, message, waitMs = RETRY_AFTER_MS } = refused;
  const headers: Record<string, string> = {};
  if (status === 429 || status === 503) {
    headers['Retry-After'] = String(Math.ceil(waitMs / 1000));
  }
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  return errorAnswer(status, code, message, headers);
}

/**
 * The answer as bytes for a bare socket, which is what an `upgrade` listener has in hand.
 * The connection ends after it.
 */
export function rawAnswer(answer: Answer): string {
  const body =
    typeof answer.body === 'string' ? answer.body : new TextDecoder().decode(answer.body);
  const headers = {
    ...SECURITY_HEADERS,
    ...answer.headers,
    Connection: 'close',
    'Content-Length': String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const status = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Error'}`;
  return [status, ...lines, '', body].join('\r\n');
}
