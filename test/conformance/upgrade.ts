import type { IncomingHttpHeaders } from 'node:http';
import { WebSocket } from 'ws';
import type { Bed } from './bed.ts';

/** An upgrade that has to be refused. */
export interface Attempt {
  readonly offers?: readonly string[];
  readonly headers?: Record<string, string>;
  readonly path?: string;
}

/** How it was refused. */
export interface Refused {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly error: number;
}

/** Tries an upgrade; fails if it is let in. */
export function refused(bed: Bed, attempt: Attempt = {}): Promise<Refused> {
  const { offers = ['tidegate.v1.cbor'], headers = {}, path = '/v1' } = attempt;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${bed.host}${path}`, [...offers], { headers });
    socket.on('open', () => reject(new Error('the upgrade was not refused')));
    socket.on('error', reject);
    socket.on('unexpected-response', (_, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => {
        const { statusCode: status = 0, headers: answered } = response;
        resolve({ status, headers: answered, error: JSON.parse(text).error });
      });
    });
  });
}

/** The header that shows a token. */
export const bearing = (token: string): Record<string, string> => ({
  Authorization: `Bearer ${token}`,
});
