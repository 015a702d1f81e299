import type { Config } from './config.ts';

/** The value of a setting that is in force, and where it came from. */
export interface Taken<T> {
  readonly value: T;
  readonly origin: string;
  /** As a fault names it; empty for a default. */
  readonly where: string;
}

/** Every setting. */
export type AllTaken = { readonly [Name in Exclude<keyof Config, 'origins'>]: Taken<Config[Name]> };
