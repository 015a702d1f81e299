import type { LaneShape } from './credit-device.ts';
import { templateOf, waveOf } from './frame.ts';

/** Lane 1 with frames of so many rows of one int16 column, so far apart. Units: µs. */
export const waveLane = (rows: number, stepUs: number): LaneShape => ({
  lane: 1,
  set: 1,
  cols: [['wave', 'm/s2', 0.01, 0]],
  template: templateOf({
    lane: 1,
    set: 1,
    columns: [waveOf(rows)],
    dtUs: Math.max(1, Math.floor(stepUs)),
  }),
});

/** Lane 0 with frames of one value of this name. */
export const alarmLane = (name: string): LaneShape => ({
  lane: 0,
  set: 2,
  cols: [[name]],
  template: templateOf({ lane: 0, set: 2, columns: [Int16Array.of(1)] }),
});
