import { type Breach, breach } from '../model/errors.ts';

/** How long an overloaded node asks a client to stay away. Units: ms. */
const OVERLOADED_WAIT_MS = 5000;
/** How long a client waits at most while the log is being read. Units: ms. */
const NO_OWNER_WAIT_MS = 1000;

/**
 * There is no room for a device: it comes back after that time or up to twice as long, for whoever
 * came in the same moment was refused in the same moment too.
 */
export const noRoom = (random: () => number): Breach => ({
  ...breach(4100, 'no room for a further device on this node'),
  waitMs: Math.ceil(OVERLOADED_WAIT_MS * (1 + random())),
});

/** How long the client stays away, where the code asks for it. Units: ms. */
export function waitOf({ code, waitMs }: Breach): number | undefined {
  if (waitMs !== undefined) return waitMs;
  if (code === 4100 || code === 4101) return OVERLOADED_WAIT_MS;
  return code === 4203 ? NO_OWNER_WAIT_MS : undefined;
}
