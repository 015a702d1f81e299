/** Why limits are not advancing. Source: PROTOCOL §3.4, key 42. */
export const WHY = {
  none: 0,
  logSlow: 1,
  logDown: 2,
  quota: 3,
  memory: 4,
  draining: 5,
} as const;
/** A reason. */
export type Why = (typeof WHY)[keyof typeof WHY];
