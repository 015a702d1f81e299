import type { DeviceSet, WhenFull } from '../../src/client/device-io.ts';
import type { Codec } from '../../src/model/machine.ts';
import type { DeviceBlock } from '../../src/wire/messages.ts';
import type { Wrongness } from './clock.ts';

/** What runs on a device. */
export type Firmware =
  /** The client library of src/client. */
  | 'library'
  /** The few lines of PROTOCOL App. B, with a flash memory. */
  | 'minimal'
  /** Breaks a rule on purpose, again and again. */
  | 'rude';

/** What a device is like. */
export interface Habits {
  readonly path: string;
  readonly firmware: Firmware;
  readonly codec: Codec;
  readonly heartbeatMs: number;
  readonly ringBytesMax: number;
  readonly whenFull: WhenFull;
  readonly lanes: readonly number[];
  /** Mean time between two frames of a lane. Units: ms. */
  readonly periodMs: Readonly<Record<number, number>>;
  /** Rows in a bulk frame. */
  readonly rows: number;
  readonly clock: Wrongness;
  /** Shares of frames that the gateway has to refuse, or that break their connection. */
  readonly refusedShare: number;
  readonly poisonShare: number;
  /** Asks for QoS 0 in this share of its sessions, on its bulk lanes. */
  readonly qos0Share: number;
}

/** What a frame is meant to be: the gateway's verdict has to agree. */
export type Intent = 'good' | 'unknown set' | 'bad shape' | 'poison';

/** The sets of every device; set 9 is never defined. */
export const SETS: readonly DeviceSet[] = [
  { s: 1, lane: 0, cols: [['alarm'], ['level', 'Cel']] },
  { s: 2, lane: 1, cols: [['temp', 'Cel', 0.5, -10]] },
  { s: 3, lane: 2, of: 'late', cols: [['temp', 'Cel']] },
];
const UNKNOWN_SET = 9;
/** Time between two rows. Units: µs. */
const STEP_US = 1000;

/** A block that carries its content number as the first value. */
export function blockOf(lane: number, content: number, t: number, rows: number): DeviceBlock {
  const values = Float64Array.from({ length: rows }, (_, row) => content + row / 1024);
  const v = lane === 0 ? [values, values.map((value) => value / 3)] : [values];
  return { s: lane + 1, t, dt: rows > 1 ? STEP_US : undefined, v };
}

/** The same block, meant to be refused. */
export function spoiled(block: DeviceBlock, intent: Intent): DeviceBlock {
  if (intent === 'unknown set') return { ...block, s: UNKNOWN_SET };
  if (intent === 'bad shape') return { ...block, v: [...block.v, Float64Array.of(1)] };
  return block;
}

/** The code with which a frame has to be refused; null if it must not be. */
export const codeOf = (intent: Intent): number | null => {
  if (intent === 'unknown set') return 4020;
  return intent === 'bad shape' ? 4021 : null;
};

/**
 * A frame whose bytes are broken in a way that leaves its head readable: one pair more than there
 * are, or a name that must be understood.
 */
export function poisoned(bytes: Uint8Array, codec: Codec): Uint8Array {
  const broken = bytes.slice();
  if (codec === 'cbor') {
    broken[0] = (broken[0] as number) + 1;
    return broken;
  }
  const text = new TextDecoder().decode(broken);
  return new TextEncoder().encode(text.replace('"b":', '"!":'));
}
