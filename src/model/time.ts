/** A unit that TypeScript checks: numbers of different brands never mix by accident. */
type Brand<Name extends string> = number & { readonly __unit: Name };

/** Monotonic time of this process. Units: milliseconds, fractional. */
export type MonoMs = Brand<'MonoMs'>;
/** Wall-clock time. Units: integer microseconds since 1970-01-01Z. */
export type WallUs = Brand<'WallUs'>;
/** Event time, as the device stamped it. Units: integer microseconds since 1970-01-01Z. */
export type EventUs = Brand<'EventUs'>;

/** The only clock that the core ever sees: it is handed in with every step. */
export interface Now {
  readonly monoMs: MonoMs;
  readonly wallUs: WallUs;
}

/** Brands a number of milliseconds as monotonic time. */
export const monoMs = (value: number): MonoMs => value as MonoMs;
/** Brands a number of microseconds as wall-clock time. */
export const wallUs = (value: number): WallUs => value as WallUs;
/** Brands a number of microseconds as event time. */
export const eventUs = (value: number): EventUs => value as EventUs;
