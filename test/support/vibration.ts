const GRAVITY = [0, 0, 16384] as const;
const SIZE = [9000, 6000, 3000] as const;
const STEP = [1311, 1823, 2719] as const;
const AXES = 3;

/** m/s2 per count, as the device sends it: a float32, which stands for its exact value. */
const SCALE = Math.fround(9.80665 / 16384);

/** Rows of one frame. */
export const FRAME_ROWS = 100;

/** The counts of the C device's signal, written again from its description. */
export function vibration(axis: 0 | 1 | 2, row: number): number {
  const phase = (Math.imul(row, STEP[axis]) & 0xffff) - 32768;
  const wave = Math.trunc((phase * (32768 - Math.abs(phase))) / 8192);
  const swing = Math.trunc((wave * SIZE[axis]) / 32768);
  return GRAVITY[axis] + swing + noise(Math.imul(row, AXES) + axis);
}

function noise(seed: number): number {
  let bits = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return ((bits ^ (bits >>> 16)) & 511) - 256;
}

/** What the log has to hold of one frame, `index` from 0: the event times and three columns. */
export function vibrationFrame(index: number, startUs: number, rate: number) {
  const first = index * FRAME_ROWS;
  const rows = Array.from({ length: FRAME_ROWS }, (_, i) => first + i);
  const base = startUs + Math.floor((first * 1e6) / rate);
  const column = (axis: 0 | 1 | 2): number[] => rows.map((row) => vibration(axis, row) * SCALE);
  return {
    t: rows.map((_, i) => base + Math.floor(i * (1e6 / rate))),
    x: column(0),
    y: column(1),
    z: column(2),
  };
}
