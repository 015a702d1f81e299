import type { Gap } from '../../src/delivery/continuity.ts';
import type { Effect, Input } from '../../src/gateway/io.ts';
import { Gateway } from '../../src/gateway.ts';
import { LOG, type LogKind } from '../../src/model/record.ts';
import { emptyHeader, readHeader } from '../../src/wire/record-header.ts';
import type { Sha256 } from '../../src/wire/schema.ts';
import { type Row, rowsOf } from '../sim/log.ts';
import type { SmallWorld } from './small-world.ts';

/** An append, or what is left of one: asked for, perhaps written, perhaps nobody waits for it. */
interface Flight {
  readonly log: LogKind;
  readonly rows: readonly Row[];
  offsets: Float64Array | null;
  isAwaited: boolean;
}

/**
 * A gateway whose log does one thing at a time, when it is told to: write an append, answer it, fail
 * it, or write it long after. Appends of other logs than that of the readings succeed at once.
 */
export class SmallNode {
  readonly no: number;
  isGone = false;
  readonly #world: SmallWorld;
  readonly #gateway: Gateway;
  #flights: Flight[] = [];
  #reads: { readonly log: LogKind; readonly gaps: readonly Gap[] }[] = [];

  constructor(world: SmallWorld, no: number, sha256: Sha256) {
    this.no = no;
    this.#world = world;
    this.#gateway = new Gateway({
      node: `n${no}`,
      shards: 1,
      budgetBytes: 1 << 20,
      isOpen: true,
      lingerMs: 0,
      isRecoverable: () => true,
      dur: () => 2,
      own: new Uint8Array(8).fill(no + 1),
      random: () => 0.5,
      sha256,
      unsentBytes: () => 0,
    });
    for (const schema of world.log.schemas) this.input({ kind: 'schema', schema });
    for (const log of [LOG.readings, LOG.alarms, LOG.aggregates]) {
      for (const record of world.log.records(log, 0)) this.input({ kind: 'record', record });
    }
    this.input({ kind: 'readEnd', log: null });
  }

  input(input: Input): void {
    if (this.isGone) return;
    for (const effect of this.#gateway.step(input, this.#world.now())) this.#perform(effect);
  }

  /** Writes and answers until nothing is asked for any more. */
  settleEverything(): void {
    while (this.#flights.length > 0) {
      this.take('write');
      this.take('answer');
      this.#world.catchUp();
    }
  }

  crash(): void {
    this.isGone = true;
    this.#reads = [];
    for (const flight of this.#flights) flight.isAwaited = false;
  }

  /** What the log may do next for this gateway. */
  actions(mayFail: boolean): readonly string[] {
    const actions: string[] = [];
    const awaited = this.#flights.find(({ isAwaited }) => isAwaited);
    if (awaited?.offsets === null) actions.push(`write ${this.no}`);
    if (awaited?.offsets) actions.push(`answer ${this.no}`);
    if (awaited && mayFail) actions.push(`fail ${this.no}`);
    if (this.#reads.length > 0) actions.push(`read ${this.no}`);
    if (this.#flights.some(isLate)) actions.push(`late ${this.no}`, `vanish ${this.no}`);
    return actions;
  }

  take(what: string): void {
    const awaited = this.#flights.find(({ isAwaited }) => isAwaited);
    const late = this.#flights.find(isLate);
    if (what === 'write' && awaited) this.#write(awaited);
    else if (what === 'late' && late) this.#write(late);
    else if (what === 'answer' && awaited?.offsets) {
      this.#flights = this.#flights.filter((flight) => flight !== awaited);
      this.input({ kind: 'appended', log: awaited.log, offsets: awaited.offsets });
    } else if (what === 'fail' && awaited) {
      awaited.isAwaited = false;
      if (awaited.offsets) this.#flights = this.#flights.filter((flight) => flight !== awaited);
      this.input({ kind: 'failed', log: awaited.log, reason: 'a time-out' });
    } else if (what === 'vanish') {
      this.#flights = this.#flights.filter((flight) => flight !== late);
    } else if (what === 'read') this.#read();
  }

  /** What it knows of the device, and what it waits for. */
  state(device: string, epochNo: (epoch: number) => number): unknown {
    const flights = this.#flights.map(({ rows, offsets, isAwaited }) => [
      rows.map((row) => nameOf(row, epochNo)),
      offsets !== null,
      isAwaited,
    ]);
    if (this.isGone) return [flights];
    const { delivery, ingest } = this.#gateway;
    const known = ingest.devices.find(device);
    const lane = known?.lanes[1];
    const epochs = [epochNo(known?.known ?? 0), epochNo(lane?.epoch ?? 0)];
    const numbers = [lane?.adm, lane?.ack, lane?.lastRow, lane?.unsettled, known?.session];
    const { isOwner, isBroken, isRecovering } = delivery;
    const reads = this.#reads.map(({ gaps }) => gaps);
    return [flights, epochs, numbers, isOwner, isBroken, isRecovering, reads];
  }

  #perform(effect: Effect): void {
    if (effect.kind === 'send') this.#world.told(effect.session, effect.bytes);
    else if (effect.kind === 'read') this.#reads.push({ log: effect.log, gaps: effect.gaps });
    else if (effect.kind === 'broken') this.crash();
    else if (effect.kind === 'append') {
      const { log, batch } = effect;
      this.#world.log.schemas.push(...batch.schemas.map(({ hash, bytes }) => ({ hash, bytes })));
      const rows = rowsOf(log, batch);
      if (log === LOG.readings) this.#flights.push({ log, rows, offsets: null, isAwaited: true });
      else this.#landAtOnce(log, rows);
    }
  }

  #landAtOnce(log: LogKind, rows: readonly Row[]): void {
    const offsets = Float64Array.from(rows, (row) => this.#world.log.land(row));
    this.#world.later(() => this.input({ kind: 'appended', log, offsets }));
  }

  #write(flight: Flight): void {
    flight.offsets = Float64Array.from(flight.rows, (row) => this.#world.log.land(row));
    if (!flight.isAwaited) this.#flights = this.#flights.filter((each) => each !== flight);
  }

  #read(): void {
    const read = this.#reads.shift();
    if (!read) return;
    for (const { from, to } of read.gaps) {
      for (const record of this.#world.log.records(read.log, 0).slice(from, to + 1)) {
        this.input({ kind: 'record', record });
      }
    }
    this.input({ kind: 'readEnd', log: read.log });
  }
}

const isLate = ({ isAwaited, offsets }: Flight): boolean => !isAwaited && offsets === null;

function nameOf({ tg }: Row, epochNo: (epoch: number) => number): unknown {
  const header = emptyHeader();
  readHeader(tg, header);
  return [header.kind, epochNo(header.epoch), header.n, header.lost, header.uncertain];
}
