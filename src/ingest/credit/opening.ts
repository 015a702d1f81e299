/** A lane that is granted. */
export interface Opening {
  readonly lane: number;
  /** Largest `data` payload. */
  readonly mf: number;
  /** Cost of this device's frames of the lane still in the pipeline from earlier connections. */
  readonly carry: number;
  /** What a byte of cost is in memory at most. Absent: 1. */
  readonly growth?: number;
  /** The same, as what left the carry was opened with. Absent: `growth`. */
  readonly carryGrowth?: number;
  /** Absent: 0. */
  readonly pipe?: number;
  /** Row of the quota its grants are charged to; absent: none. Lane 0 has one of its own. */
  readonly quota?: number;
  /** Turns it gets at a time. Absent: 1. */
  readonly weight?: number;
  /** False: no reserve is set aside for it, it has to wait for room. Absent: true; lane 2 has none. */
  readonly hasReserve?: boolean;
}

/** What a frame was when its connection ended. */
export interface Orphan {
  readonly pipe: number;
  readonly lane: number;
  readonly growth: number;
}
