import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** Where the kernel does not name its start, it is computed from two clocks. Units: s. */
const TOLERANCE_S = 10;

/** A name of this run of the machine: what was written and not synced is lost with it. */
export function bootMark(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Not Linux: the moment of the start, near enough.
    return `at ${Math.round(Date.now() / 1000 - uptime())}`;
  }
}

/** True if both marks are of one run of the machine. */
export function isSameBoot(a: string, b: string): boolean {
  if (a === b) return true;
  const times = [a, b].map((mark) => (mark.startsWith('at ') ? Number(mark.slice(3)) : Number.NaN));
  return Math.abs((times[0] as number) - (times[1] as number)) <= TOLERANCE_S;
}
