import type { Codec, SessionId } from '../../src/model/machine.ts';
import type { ClassId } from '../../src/model/reading.ts';
import type { Rung } from '../../src/model/rung.ts';
import type { Aggregate, StatusId } from '../../src/model/window.ts';
import type { ServerMessage } from '../../src/wire/messages.ts';
import { DashboardClient } from './dashboard-client.ts';
import type { FakeSeries } from './fake-series.ts';
import { FanoutRig } from './fanout-rig.ts';

/** Column order of every subscription here. */
export const COLUMNS: readonly Aggregate[] = ['mean', 'n', 'first'];
const COST_PER_MESSAGE = 64;
const MESSAGE_BYTES_MAX = 32_768;
const CLASSES: readonly ClassId[] = [0, 1, 2];

/** How a dashboard subscribes. */
export interface Habits {
  readonly lim: number | undefined;
  readonly r: number;
  /** Units: seconds. */
  readonly hist: number;
}

function holds(condition: boolean, rule: string): void {
  if (!condition) throw new Error(rule);
}

/**
 * A server, a dashboard that is slow, stops granting, drops its connection and comes back, and a
 * wire between them that holds what the dashboard has not read. Every rule that can be checked as
 * messages pass is checked here and throws.
 */
export class FanoutWorld {
  readonly rig: FanoutRig;
  readonly habits: Habits;
  readonly #keep: number;
  readonly client: DashboardClient;
  /** Reads everything at the moment it is sent: what the dashboard will know at the latest. */
  readonly #shadow: DashboardClient;
  #session: SessionId = 0;
  #wire: Uint8Array[] = [];
  /** What the server may rely on: the limit as the last flow told it. */
  #limit = 0;
  #cost = 0;
  #flushEnds: number[] = [];
  /** Windows that the dashboard must hold in the end, if they are kept: `topic|class|start`. */
  readonly #owed = new Set<string>();
  readonly #alive = new Set<FakeSeries>();

  constructor(codec: Codec, topics: readonly string[], keep: number, habits: Habits) {
    this.rig = new FanoutRig(codec, { goneMs: 600_000 });
    for (const topic of topics) this.rig.add(topic, '', keep);
    this.habits = habits;
    this.#keep = keep;
    this.client = new DashboardClient(codec, 1, COLUMNS, habits.lim ?? 0);
    this.#shadow = new DashboardClient(codec, 1, COLUMNS);
    this.connect();
  }

  /** The connection ends, whatever was under way is lost, and a new one subscribes. */
  connect(): void {
    const { lim, r, hist } = this.habits;
    this.rig.fanout.close(this.#session);
    this.#session += 1;
    this.rig.open(this.#session);
    this.client.reconnect();
    this.#shadow.reconnect();
    this.#wire = [];
    this.#beginCredit();
    this.rig.sub(this.#session, { p: ['#'], agg: COLUMNS, lim, r, hist: hist * 1000 });
    this.#collect();
  }

  /** The same connection ends its subscription and uses the channel again. */
  resubscribe(): void {
    const { lim, r, hist } = this.habits;
    this.rig.fanout.end(this.#session, 1, this.rig.now);
    this.#collect();
    this.process(Number.POSITIVE_INFINITY, false);
    for (const client of [this.client, this.#shadow]) {
      holds(client.lastState?.st === 4, 'state 4 is the last word on a channel');
      client.restart();
    }
    this.#beginCredit();
    this.rig.sub(this.#session, { p: ['#'], agg: COLUMNS, lim, r, hist: hist * 1000 });
    this.#collect();
  }

  /** `count` more readings in a window; a final one becomes corrected. */
  read(at: number, classId: ClassId, second: number, count: number): void {
    const series = this.#series(at);
    const windows = series.of(classId);
    const i = this.#find(series, classId, second);
    const n = count + (i < 0 ? 0 : Number(windows.valueAt(i, 'n')));
    const status = i < 0 ? 0 : windows.statusAt(i) === 0 ? 0 : 2;
    const isFull = windows.count >= this.#keep;
    // What is older than all that is kept is too late for a window.
    if (i < 0 && isFull && second * 1e6 < windows.startAt(0)) return;
    const isText = series.topic.endsWith('text');
    const first = isText ? String(n).repeat(250).slice(0, 250) : n / 7;
    this.#put(series, classId, second, { mean: isText ? null : n / 3, n, first }, status);
  }

  /** The watermark passes a window. */
  finalize(at: number, classId: ClassId, second: number): void {
    const series = this.#series(at);
    const i = this.#find(series, classId, second);
    const windows = series.of(classId);
    if (i < 0 || windows.statusAt(i) !== 0) return;
    const figures = Object.fromEntries(COLUMNS.map((name) => [name, windows.valueAt(i, name)]));
    this.#put(series, classId, second, figures, 1);
  }

  /** All series but one speak on for a day; that one is gone. */
  silence(at: number): void {
    const silent = this.#series(at);
    for (let minute = 0; minute < 12; minute += 1) {
      this.advance(60_000);
      for (const series of this.#alive) if (series !== silent) this.#touch(series);
    }
    this.#alive.delete(silent);
    for (const key of this.#owed) {
      if (key.startsWith(`${silent.topic}|`)) this.#owed.delete(key);
    }
  }

  /** The node climbs its ladder, or comes down. */
  climb(rung: Rung): void {
    this.rig.fanout.climb(rung);
  }

  advance(ms: number): void {
    this.rig.advance(ms, () => this.#collect());
  }

  /** The dashboard reads up to `count` messages, acknowledges them, and grants or not. */
  process(count: number, isGranting: boolean): void {
    for (const bytes of this.#wire.splice(0, count)) this.client.receive(bytes);
    const [, ack, limit] = this.client.flowEntry();
    const told = isGranting ? limit : this.#limit;
    if (this.habits.lim !== undefined) this.#limit = Math.max(this.#limit, told);
    this.#flushEnds = this.#flushEnds.filter((end) => end > ack);
    this.rig.flow(this.#session, [1, ack, told]);
    holds(this.rig.port.breaches.length === 0, 'a good client is never sent away');
  }

  /** Faults stop: the dashboard reads and grants all, until nothing but beats is sent. */
  settle(): void {
    let quiet = 0;
    for (let round = 0; quiet < 3; round += 1) {
      holds(round < 2000, 'what is changed is sent in the end');
      const { n } = this.client;
      this.process(Number.POSITIVE_INFINITY, true);
      this.advance(Math.max(500, this.habits.r));
      quiet = this.client.n === n && this.#wire.length === 0 ? quiet + 1 : 0;
    }
    this.process(Number.POSITIVE_INFINITY, true);
    holds(this.client.isLive, 'live is said once nothing is unsent');
    this.compare(this.client);
  }

  /** The dashboard shows what the store holds. Source: D1, D5. */
  compare(client: DashboardClient): void {
    const topics = new Set([...this.#alive].map(({ topic }) => topic));
    for (const key of client.view.keys()) {
      const topic = key.slice(0, key.indexOf('|'));
      holds(topics.has(topic), `${topic} is gone and still shown`);
    }
    for (const series of this.#alive) {
      for (const classId of CLASSES) this.#compareClass(client, series, classId);
    }
    holds(client.stale === 0, 'values follow server order');
  }

  #compareClass(client: DashboardClient, series: FakeSeries, classId: ClassId): void {
    const windows = series.of(classId);
    const held = client.windows(series.topic, classId);
    for (let i = 0; i < windows.count; i += 1) {
      const start = windows.startAt(i);
      if (!this.#owed.has(`${series.topic}|${classId}|${start}`)) continue;
      const values = COLUMNS.map((name) => windows.valueAt(i, name));
      const expected = JSON.stringify({ st: windows.statusAt(i), values });
      const shown = JSON.stringify(held.get(start));
      const where = `${series.topic} class ${classId} at ${start / 1e6}`;
      holds(shown === expected, `${where}: ${shown} is shown, ${expected} is true`);
    }
  }

  /** Takes what was sent in one step, and holds it against the rules. */
  #collect(): void {
    let lastN = 0;
    for (const bytes of this.rig.takenBytes(this.#session)) {
      holds(bytes.length <= MESSAGE_BYTES_MAX, 'a message is at most 32 KiB');
      const message = this.#shadow.receive(bytes);
      this.#wire.push(bytes);
      if (message.k === 'data') lastN = message.n;
      if (message.k !== 'state') this.#charge(bytes.length);
      this.#checkState(message);
    }
    if (lastN > 0 && this.habits.lim !== undefined) {
      this.#flushEnds.push(lastN);
      holds(this.#flushEnds.length <= 2, 'at most two flushes are unacknowledged');
    }
  }

  #charge(bytes: number): void {
    this.#cost += bytes + COST_PER_MESSAGE;
    holds(this.#cost <= this.#limit, 'credit is never exceeded');
  }

  #checkState(message: ServerMessage): void {
    if (message.k !== 'state') return;
    const isTimed = message.st === 2 || message.st === 3;
    holds(isTimed === (message.now !== undefined), 'state 2 and 3 carry now');
    // Live is the truth at the moment it is said: nothing is changed and unsent.
    if (message.st === 2) this.compare(this.#shadow);
  }

  #beginCredit(): void {
    this.#cost = 0;
    this.#limit = this.habits.lim ?? Number.POSITIVE_INFINITY;
    this.#flushEnds = [];
    this.#owed.clear();
    for (const series of this.#alive) this.#owePicture(series);
  }

  #owePicture(series: FakeSeries): void {
    for (const classId of CLASSES) {
      const windows = series.of(classId);
      const newest = windows.count > 0 ? windows.startAt(windows.count - 1) : 0;
      for (let i = 0; i < windows.count; i += 1) {
        const start = windows.startAt(i);
        if (start < newest - this.habits.hist * 1e6) continue;
        this.#owed.add(`${series.topic}|${classId}|${start}`);
      }
    }
  }

  #put(
    series: FakeSeries,
    classId: ClassId,
    second: number,
    figures: Parameters<FanoutRig['put']>[2],
    status: StatusId,
  ): void {
    const isNew = !this.#alive.has(series);
    this.#alive.add(series);
    this.rig.put(series, second, figures, { classId, status });
    if (isNew) this.#owePicture(series);
    this.#owed.add(`${series.topic}|${classId}|${second * 1e6}`);
  }

  #touch(series: FakeSeries): void {
    for (const classId of CLASSES) {
      const windows = series.of(classId);
      if (windows.count === 0) continue;
      this.read(
        this.rig.series.indexOf(series),
        classId,
        windows.startAt(windows.count - 1) / 1e6,
        1,
      );
      return;
    }
  }

  #find(series: FakeSeries, classId: ClassId, second: number): number {
    const windows = series.of(classId);
    for (let i = 0; i < windows.count; i += 1) {
      if (windows.startAt(i) === second * 1e6) return i;
    }
    return -1;
  }

  #series(at: number): FakeSeries {
    const series = this.rig.series[at % this.rig.series.length];
    if (series === undefined) throw new RangeError('no series');
    return series;
  }
}
