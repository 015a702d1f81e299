import type { DeviceEffect } from '../../src/client/device-io.ts';
import type { RingFrame } from '../../src/client/ring-frame.ts';
import { encode, encodeData } from '../../src/wire/encode.ts';
import { SETS } from './habits.ts';
import type { MinimalLane } from './minimal-lane.ts';

const COST = 64;
const BACKFILL = 2;
const PING_PACE_MS = 2000;

/** `pump` of PROTOCOL App. B: sends what credit allows, lane 0 first, and asks for that of lane 2. */
export class MinimalPump {
  readonly #lanes: readonly MinimalLane[];
  /** Sets that this connection knows. */
  #defined = new Set<number>();
  #pingedMs = Number.NEGATIVE_INFINITY;

  constructor(lanes: readonly MinimalLane[]) {
    this.#lanes = lanes;
  }

  /** When a ping may be sent again. Units: ms. */
  get pingFromMs(): number {
    return this.#pingedMs + PING_PACE_MS;
  }

  /** A new connection knows no sets. */
  restart(): void {
    this.#defined = new Set();
  }

  run(effects: DeviceEffect[], epoch: number, ms: number): void {
    for (const lane of this.#lanes) {
      if (!lane.isGranted) continue;
      for (let frame = lane.cursor; frame; frame = lane.cursor) {
        if (this.#send(effects, lane, frame, epoch)) continue;
        if (lane.lane === BACKFILL) this.#askForCredit(effects, lane, ms);
        break;
      }
    }
  }

  #send(effects: DeviceEffect[], lane: MinimalLane, frame: RingFrame, epoch: number): boolean {
    const head = { c: lane.lane, n: frame.n, lost: frame.lost };
    const bytes = encodeData('cbor', head, frame.blocks);
    if (lane.sent + bytes.length + COST > lane.lim) return false;
    for (const s of frame.sets) this.#define(effects, s);
    lane.pass(frame, bytes.length + COST);
    effects.push({ kind: 'sendFrame', bytes, frame, epoch, isFirst: false });
    return true;
  }

  #define(effects: DeviceEffect[], s: number): void {
    const set = SETS.find((each) => each.s === s);
    if (!set || this.#defined.has(s)) return;
    this.#defined.add(s);
    const def = { k: 'def', c: set.lane, s, cols: set.cols, of: set.of } as const;
    effects.push({ kind: 'send', bytes: encode('cbor', def) });
  }

  #askForCredit(effects: DeviceEffect[], lane: MinimalLane, ms: number): void {
    if (ms < this.pingFromMs) return;
    this.#pingedMs = ms;
    const ping = { k: 'ping', bl: [[BACKFILL, lane.backlog] as const] } as const;
    effects.push({ kind: 'send', bytes: encode('cbor', ping) });
  }
}
