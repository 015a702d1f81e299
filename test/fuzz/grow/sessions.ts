import { encode, encodeBlocks, encodeData } from '../../../src/wire/encode.ts';
import type { ColumnEntry, DeviceBlock, Message } from '../../../src/wire/messages.ts';
import type { Dice } from '../../sim/random.ts';
import { fromChunks } from './chunks.ts';
import { messageOf } from './messages.ts';
import { join } from './mutate-bytes.ts';
import { mutateCbor } from './mutate-cbor.ts';
import { mutateJson } from './mutate-json.ts';
import { writeTree } from './tree.ts';

/**
 * What a few peers do to a gateway, as chunks: what, by whom, and a payload. Any bytes are such a
 * list, so that it can be changed and made smaller byte by byte.
 */
export const ACT = {
  message: 0,
  wrongOpcode: 1,
  connectCbor: 2,
  connectJson: 3,
  watchCbor: 4,
  watchJson: 5,
  disconnect: 6,
  pass: 7,
  holdLog: 8,
  landLog: 9,
} as const;
export const ACTS = Object.keys(ACT).length;

/** Device paths of the peers: the third takes over from the first. */
export const PATHS = ['a', 'plant1/b', 'a', 'c'] as const;

const NAMES = ['m0', '', '.', 'a/../b', 'é', 'x'.repeat(65), 'x/'.repeat(20)] as const;
const UNITS = ['', ' ', 'é', 'x'.repeat(32), 'x'.repeat(33)] as const;
const NOW_US = 1_761_962_400_000_000;
const US_PER_S = 1_000_000;
const KINDS_OF_CLIENT = [0, 2, 3, 4, 5, 8, 10] as const;
/** As many columns as a set may have: a constant one has readings without bytes. */
const WIDE_COLUMNS = 64;
/** 64 columns of 128 rows a second apart are the 8192 windows that a frame may touch. */
const WIDE_ROWS = [25, 128, 128, 4096] as const;
/** So many sets as wide: a frame with a block of each is the first of 4096 series. */
const WIDE_SETS = 64;
/** Names of two of these letters keep their definitions short. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Where they begin: long ago, within the allowed lateness, ahead of the clock. Units: s. */
const WIDE_FROM_S = [-5000, -130, -28, -28, 2] as const;
const PASS_MS = [1, 20, 50, 100, 1000, 2500] as const;

/** A peer that does as the protocol says, for the most part. */
class Peer {
  readonly chunks: Uint8Array[] = [];
  readonly #dice: Dice;
  readonly #slot: number;
  readonly #isJson: boolean;
  readonly #next = [1, 1, 1];
  /** Lanes whose set has as many columns as may be. */
  readonly #wide: boolean[] = [];
  /** It defines as many sets as it may, all of them wide, on this lane. */
  readonly #fullLane: number | null;

  constructor(dice: Dice, slot: number) {
    this.#dice = dice;
    this.#slot = slot;
    this.#isJson = dice.chance(0.3);
    const isWatcher = dice.chance(0.2);
    const { connectCbor, connectJson, watchCbor, watchJson } = ACT;
    if (isWatcher) this.#act(this.#isJson ? watchJson : watchCbor);
    else this.#act(this.#isJson ? connectJson : connectCbor);
    this.#hello(isWatcher);
    this.#fullLane = !isWatcher && dice.chance(0.01) ? 1 : null;
    if (this.#fullLane !== null) this.#defineAll(this.#fullLane);
    else if (!isWatcher) for (const lane of [0, 1]) this.#say(this.#definition(lane));
    if (isWatcher || dice.chance(0.2)) this.#say(this.#subscription());
  }

  go(): void {
    const dice = this.#dice;
    const kind = dice.below(11);
    if (kind < 4) this.#frame();
    else if (kind === 5)
      this.#say({ k: 'ping', now: NOW_US, bl: [[dice.below(4), dice.below(9000)]] });
    else if (kind === 6) this.#say({ k: 'flow', f: [[1, dice.below(3), 40_000]] });
    else if (kind === 7) this.#say(dice.chance(0.5) ? this.#subscription() : { k: 'end', c: 1 });
    else if (kind === 8 || kind === 4)
      this.#send(writeTree([messageOf(dice, dice.pick(KINDS_OF_CLIENT), 'client')]));
    else this.#act(dice.pick([ACT.pass, ACT.holdLog, ACT.landLog, ACT.disconnect]), this.#ms());
  }

  #ms(): Uint8Array {
    const ms = this.#dice.pick(PASS_MS);
    return Uint8Array.of(ms >>> 8, ms);
  }

  #hello(isWatcher: boolean): void {
    const ch = [
      [0, 1, 1],
      [1, this.#dice.chance(0.8) ? 1 : 0, 1],
      [2, 1, 1],
    ] as const;
    this.#say(isWatcher ? { k: 'hello', rx: 65_536 } : { k: 'hello', ch, rx: 65_536 });
  }

  #definition(lane: number): Message {
    const dice = this.#dice;
    const isWide = dice.chance(0.04);
    this.#wide[lane] = isWide;
    const columns = isWide
      ? Array.from({ length: WIDE_COLUMNS }, (_, i): ColumnEntry => [`m${i}`])
      : Array.from({ length: 1 + dice.below(3) }, (_, i) => this.#column(i));
    return { k: 'def', c: lane, s: lane, cols: columns };
  }

  /** Unchanged: one bad definition among so many would end the session nearly always. */
  #defineAll(lane: number): void {
    const codec = this.#isJson ? 'json' : 'cbor';
    for (let s = 0; s < WIDE_SETS; s += 1) {
      const cols = Array.from({ length: WIDE_COLUMNS }, (_, i): ColumnEntry => {
        return [`${LETTERS[s]}${LETTERS[i]}`];
      });
      this.#act(ACT.message, encode(codec, { k: 'def', c: lane, s, cols }));
    }
  }

  /** Now and then a name or a unit that none may be. */
  #column(i: number): ColumnEntry {
    const dice = this.#dice;
    const name = dice.chance(0.95) ? `m${i}` : dice.pick(NAMES);
    return [name, dice.chance(0.95) ? 'Cel' : dice.pick(UNITS), 1, dice.chance(0.98) ? 0 : 1e308];
  }

  #subscription(): Message {
    const dice = this.#dice;
    const win = dice.pick([0, 1000, 1000, 10_000]);
    const p = [dice.pick(['#', '+/m0', 'a/#', 'by/stander/temp'])];
    const agg = win === 0 ? undefined : (['n', 'mean', 'max'] as const);
    const [md, grp] = dice.chance(0.9) ? [0, 0] : [dice.below(3), dice.below(3)];
    const lim = dice.pick([undefined, undefined, 40_000, 32_832, 32_831]);
    return { k: 'sub', c: 1 + dice.below(2), p, win, agg, hist: dice.below(20_000), md, grp, lim };
  }

  #frame(): void {
    const dice = this.#dice;
    if (dice.chance(0.25)) {
      this.#send(writeTree([messageOf(dice, 3, 'client')]));
      return;
    }
    const lane = this.#fullLane ?? dice.below(2);
    const n = this.#next[lane] as number;
    this.#next[lane] = n + 1;
    const lost = dice.chance(0.05) ? dice.below(3) : 0;
    const head = { c: lane, n: dice.chance(0.95) ? n : n + dice.below(3), lost };
    const codec = this.#isJson ? 'json' : 'cbor';
    const isWide = this.#wide[lane] && dice.chance(0.8);
    const isFull = this.#fullLane !== null && dice.chance(0.8);
    const block = isWide ? this.#wideBlock(lane) : this.#block(lane);
    const blocks = isFull ? this.#blockOfEach() : [block];
    this.#send(encodeData(codec, head, encodeBlocks(codec, blocks)), codec);
  }

  /** One row, or the two whose windows are as many as a frame may touch, of every set. */
  #blockOfEach(): readonly DeviceBlock[] {
    const dice = this.#dice;
    const rows = dice.pick([1, 1, 2, 3]);
    const t = NOW_US + dice.pick(WIDE_FROM_S) * US_PER_S;
    const v = Array.from({ length: WIDE_COLUMNS }, (_, i) => (i > 0 ? 1 : new Int8Array(rows)));
    return Array.from({ length: WIDE_SETS }, (_, s) => ({ s, t, dt: US_PER_S, v }));
  }

  #wideBlock(s: number): DeviceBlock {
    const dice = this.#dice;
    const rows = dice.pick(WIDE_ROWS);
    const columns = Array.from({ length: WIDE_COLUMNS }, (_, i) =>
      i > 0 ? 1 : new Int8Array(rows),
    );
    return { s, t: NOW_US + dice.pick(WIDE_FROM_S) * US_PER_S, dt: US_PER_S, v: columns };
  }

  #block(s: number): DeviceBlock {
    const dice = this.#dice;
    const rows = dice.chance(0.98) ? 1 + dice.below(5) : dice.pick([1000, 4095, 4096, 4097]);
    const one = (): number => dice.below(200) - 100;
    const columns = Array.from({ length: dice.chance(0.9) ? 2 : 1 + dice.below(4) }, () =>
      dice.chance(0.5) ? one() : Int16Array.from({ length: rows }, one),
    );
    const d =
      rows < 6 && dice.chance(0.3)
        ? Array.from({ length: rows - 1 }, () => dice.below(1e6))
        : undefined;
    const t = NOW_US + dice.below(4_000_000) - 2_000_000;
    return { s, t, dt: d ? undefined : dice.below(1_500_000), d, v: columns };
  }

  #say(message: Message): void {
    const codec = this.#isJson ? 'json' : 'cbor';
    this.#send(encode(codec, message), codec);
  }

  /** Now and then something else than was meant. */
  #send(payload: Uint8Array, codec: 'cbor' | 'json' = 'cbor'): void {
    const dice = this.#dice;
    const isChanged = dice.chance(0.1);
    const change = codec === 'json' ? mutateJson : mutateCbor;
    this.#act(
      dice.chance(0.99) ? ACT.message : ACT.wrongOpcode,
      isChanged ? change(dice, payload, payload) : payload,
    );
  }

  #act(act: number, payload: Uint8Array = new Uint8Array(0)): void {
    this.chunks.push(join(Uint8Array.of(act, this.#slot), payload));
  }
}

/** What one to three peers do, one after the other or by turns. */
export function sessionsOf(dice: Dice): Uint8Array {
  const peers = Array.from({ length: 1 + dice.below(3) }, () => new Peer(dice, dice.below(4)));
  for (let acts = 1 + dice.below(12); acts > 0; acts -= 1) dice.pick(peers).go();
  const chunks: Uint8Array[] = [];
  while (peers.some((peer) => peer.chunks.length > 0)) {
    const { chunks: theirs } = dice.pick(peers);
    chunks.push(...theirs.splice(0, 1 + dice.below(4)));
  }
  return fromChunks(chunks);
}
