import type { Ending } from './reconnect-policy.ts';

/** How a connection is over, as seen by the device. */
export interface Over {
  /** `drained`: left as an `away` with `dl` asked; `done`: everything is acked and told. */
  readonly kind: 'lost' | 'drained' | 'done';
  readonly ending: Ending;
  /** The code to close with; null if the connection is closed already. */
  readonly closeCode: number | null;
  /** Where `away` wants the device to go. */
  readonly to?: string | undefined;
}

/** This side ends the connection: `code` decides what follows, `closeCode` is what the peer sees. */
export const over = (code: number, message: string, closeCode: number): Over => ({
  kind: 'lost',
  ending: { code, status: 0, message },
  closeCode,
});

/** What the server sent cannot be: close with the code that fits, then policy B. [R10.1-10] */
export const broken = (code: number, message: string): Over =>
  over(1006, `the server broke the protocol: ${message}`, code);
