import { Allocator } from '../../../src/ingest/credit/allocator.ts';
import { CREDIT } from '../../../src/ingest/credit/constants.ts';
import { SESSION_BYTES } from '../../../src/ingest/credit/memory.ts';
import { reserveOf } from '../../../src/ingest/credit/reserve.ts';
import { NONE } from '../../../src/ingest/credit/rows.ts';
import { FRAME_BYTES_MAX } from '../../../src/model/limits.ts';
import { LANE } from '../../../src/model/reading.ts';
import { WHY } from '../../../src/model/why.ts';
import { seeded } from '../random.ts';
import { Auditor } from './auditor.ts';
import { Grants } from './grants.ts';

/** A frame in the pipeline. `lane` and `growth` are those with which it came. */
export interface Frame {
  readonly channel: number;
  readonly device: number;
  readonly lane: number;
  readonly pipe: number;
  readonly cost: number;
  growth: number;
  /** Its connection is gone. */
  isOrphan: boolean;
}

/** A lane of a device that is connected. */
export interface Lane {
  readonly channel: number;
  readonly device: number;
  readonly lane: number;
  readonly pipe: number;
  readonly growth: number;
  readonly carry: number;
  readonly openedAt: number;
  /** The bulk quota it is charged to, by device; null: none. */
  readonly account: Account | null;
  windowMost: number;
  /** What lane 0 was granted and given back on this connection. */
  granted: number;
  returned: number;
  /** When it last sent a duplicate. */
  duplicateAt: number;
}

/** What a device with a quota was granted, over all its connections. */
export interface Account {
  readonly rate: number;
  readonly burst: number;
  readonly since: number;
  granted: number;
  returned: number;
  /** Its row while connected, else NONE; then what was left, and when. */
  row: number;
  tokens: number;
  leftAt: number;
}

const DEVICES = 40;
const CRITICAL_BYTES = reserveOf(LANE.critical, FRAME_BYTES_MAX[LANE.critical] as number);
const PIPES = 2;
const BUDGETS = [600_000, 1 << 20, 4 << 20, 64 << 20];
/** What the log takes in the part of a history in which everybody has to be served. */
const DRAIN_PER_SECOND = 2e6;
/** So many appends take long. */
const SLOW_SHARE = 0.3;
const LIVENESS_STEP_S = 0.02;
/** Cost of a frame then, or some bytes more: windows by use become odd numbers. */
const ODD_COST = 701;
/** How often everybody has to be served in the end. */
const ROUNDS = 6;

/** How a history ended. */
export interface Outcome {
  readonly audits: number;
  /** How long the last one waited once everybody had backlog. Units: seconds. */
  readonly waited: number;
}

/** One random history of a node's credit: what is asked of the allocator is legal, nothing else. */
export class CreditHistory {
  readonly lanes = new Map<number, Lane>();
  readonly queues: Frame[][] = Array.from({ length: PIPES }, () => []);
  readonly grants: Grants;
  readonly allocator: Allocator;
  readonly #devices = new Map<number, Lane[]>();
  readonly #accounts = new Map<number, Account>();
  readonly #random: () => number;
  readonly #auditor: Auditor;
  /** Slow appends of bulk in a row, by pipe. */
  readonly #inSlow = new Map<number, number>();
  #now = 0;
  #audits = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.grants = new Grants(this.lanes);
    const budgetBytes = BUDGETS[seed % BUDGETS.length] as number;
    this.allocator = new Allocator({ budgetBytes, port: this.grants, pipes: PIPES });
    this.grants.allocator = this.allocator;
    this.#auditor = new Auditor(this.allocator, this);
  }

  /** Lives through `steps` random steps, then serves everybody, then lets everybody go. */
  run(steps: number): Outcome {
    for (let step = 0; step < steps; step += 1) {
      this.#now += this.#random() * 0.01;
      this.#step();
      this.#serve();
    }
    let waited = this.#serveAll();
    // Again, now that windows and backlogs are what those rounds have made of them.
    for (let round = 1; round < ROUNDS; round += 1) waited = Math.max(waited, this.#serveOwed());
    this.#endAll();
    return { audits: this.#audits, waited };
  }

  isConnected(device: number, lane: number): boolean {
    return this.#devices.get(device)?.some((open) => open.lane === lane) ?? false;
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most);
  }

  #serve(): void {
    this.allocator.serve(this.#now);
    this.#audits += 1;
    this.#auditor.audit(this.#now);
    this.grants.audit(this.#now);
  }

  #step(): void {
    const kind = this.#random();
    if (kind < 0.05) this.#connect();
    else if (kind < 0.07) this.#disconnectOne();
    else if (kind < 0.55) this.#frames();
    else if (kind < 0.85) this.#settleSome();
    else if (kind < 0.92) this.#tell();
    else if (kind < 0.95) this.#stopOrStart();
    else if (kind < 0.97) this.#changeQuota();
    else if (kind < 0.98) this.allocator.late(0, this.#random() * 0.2);
    else this.#now += this.#random() * 0.5;
  }

  // ---- sessions

  #connect(): void {
    const device = this.#below(DEVICES);
    this.#disconnect(device);
    const pipe = device % PIPES;
    const carried = this.#carriedGrowth(device);
    const growth = Math.max(carried, this.#random() < 0.2 ? 4 : 1);
    const extra = [0, 1, 2].reduce((sum, lane) => sum + this.#carry(device, lane), 0);
    const { memory } = this.allocator;
    if (extra * (growth - carried) > memory.room) return;
    const hasReserve = this.#random() < 0.9 && memory.fits(SESSION_BYTES * growth);
    if (!hasReserve && !memory.fitsLane0(CRITICAL_BYTES * growth)) return;
    const account = this.#account(device);
    const lanes = [LANE.critical, LANE.live, LANE.backfill].map((lane) => {
      const isFree = lane === LANE.critical;
      const carry = this.#carry(device, lane);
      const channel = this.allocator.open(
        {
          lane,
          mf: FRAME_BYTES_MAX[lane] as number,
          carry,
          growth,
          carryGrowth: carried,
          pipe,
          ...(account && !isFree ? { quota: account.row } : {}),
          hasReserve: hasReserve || isFree,
        },
        this.#now,
      );
      return this.#opened({ channel, device, lane, pipe, growth, carry }, isFree ? null : account);
    });
    for (const frame of this.#pipeline(device)) frame.growth = growth;
    this.#devices.set(device, lanes);
  }

  #opened(
    lane: Pick<Lane, 'channel' | 'device' | 'lane' | 'pipe' | 'growth' | 'carry'>,
    account: Account | null,
  ): Lane {
    const none = { windowMost: 0, granted: 0, returned: 0, duplicateAt: Number.NEGATIVE_INFINITY };
    const opened: Lane = { ...lane, ...none, openedAt: this.#now, account };
    this.lanes.set(lane.channel, opened);
    return opened;
  }

  /** A quarter of the devices have a quota, which goes on from connection to connection. */
  #account(device: number): Account | null {
    if (device % 4 !== 0) return null;
    const { allocator } = this;
    const rate = 50_000;
    const burst = 32_768;
    const known = this.#accounts.get(device);
    const left = known ? known.tokens + (this.#now - known.leftAt) * known.rate : burst;
    const row = allocator.openQuota(rate, burst, this.#now, left);
    const fresh = { rate, burst, since: this.#now, granted: 0, returned: 0, tokens: 0, leftAt: 0 };
    const account: Account = known ?? { ...fresh, row };
    account.row = row;
    this.#accounts.set(device, account);
    this.grants.accounts.add(account);
    return account;
  }

  #disconnect(device: number): void {
    const lanes = this.#devices.get(device);
    if (!lanes) return;
    this.#devices.delete(device);
    const account = this.#accounts.get(device);
    for (const { channel, lane } of lanes) {
      if (account && lane > 0) account.returned += this.allocator.books.rows.credit(channel);
      this.allocator.close(channel);
      this.lanes.delete(channel);
      for (const frame of this.#pipeline(device)) {
        if (frame.channel === channel) frame.isOrphan = true;
      }
    }
    if (!account) return;
    account.tokens = this.allocator.closeQuota(account.row, this.#now);
    account.leftAt = this.#now;
    account.row = NONE;
  }

  #disconnectOne(): void {
    const connected = [...this.#devices.keys()];
    const device = connected[this.#below(connected.length)];
    if (device !== undefined) this.#disconnect(device);
  }

  #pipeline(device: number): Frame[] {
    return this.queues.flat().filter((frame) => frame.device === device);
  }

  #carry(device: number, lane: number): number {
    return this.#pipeline(device).reduce((sum, f) => sum + (f.lane === lane ? f.cost : 0), 0);
  }

  #carriedGrowth(device: number): number {
    return this.#pipeline(device).reduce((most, { growth }) => Math.max(most, growth), 1);
  }

  // ---- traffic

  #anyLane(): Lane | undefined {
    const lanes = [...this.lanes.values()];
    return lanes[this.#below(lanes.length)];
  }

  #frames(): void {
    for (let left = 6; left > 0; left -= 1) {
      const lane = this.#anyLane();
      if (!lane) return;
      const { rows } = this.allocator.books;
      const largest = (rows.one[lane.channel] as number) - 64;
      const cost = 64 + this.#below(this.#random() < 0.5 ? 300 : largest + 1);
      if (cost > rows.credit(lane.channel)) continue;
      this.allocator.frame(lane.channel, cost, this.#told(), this.#now);
      if (this.#random() < 0.1) this.#duplicate(lane, cost);
      else this.#enqueue(lane, cost);
    }
  }

  /** What a sender says it has waiting: nothing, 0, the truth or nonsense. */
  #told(): number {
    const kind = this.#random();
    if (kind < 0.3) return -1;
    if (kind < 0.5) return 0;
    return kind < 0.75 ? 4e9 : this.#below(300_000);
  }

  #enqueue({ channel, device, lane, pipe, growth }: Lane, cost: number): void {
    this.queues[pipe]?.push({ channel, device, lane, pipe, cost, growth, isOrphan: false });
  }

  #duplicate(lane: Lane, cost: number): void {
    const { books } = this.allocator;
    const tokens = books.tokens(lane.channel, this.#now);
    this.allocator.duplicate(lane.channel, cost);
    const quota = books.rows.quota[lane.channel] as number;
    // The bucket may hold more than its burst until it is next looked at.
    const isBack = quota === NONE || books.quotas.wait(quota, tokens + cost) === 0;
    if (!isBack) throw new Error('C10: a duplicate was charged');
    lane.returned += cost;
    lane.duplicateAt = this.#now;
    if (lane.account) lane.account.returned += cost;
  }

  #settleSome(): void {
    const pipe = this.#below(PIPES);
    const isStopped = this.allocator.books.pipes[pipe]?.stopped !== WHY.none;
    if (!isStopped) this.#settle(pipe, this.#below(40));
  }

  #settle(pipe: number, frames: number): void {
    const done = this.queues[pipe]?.splice(0, frames) ?? [];
    const bytes = [0, 0];
    for (const frame of done) {
      const log = frame.lane === LANE.critical ? 0 : 1;
      bytes[log] = (bytes[log] as number) + frame.cost;
      if (!frame.isOrphan) this.allocator.settled(frame.channel, frame.cost);
      else {
        const successor = this.#devices.get(frame.device)?.find(({ lane }) => lane === frame.lane);
        this.allocator.orphanSettled(frame, successor?.channel ?? NONE, frame.cost);
      }
    }
    const [alarms = 0, readings = 0] = bytes;
    const tookS = this.#random() < SLOW_SHARE ? CREDIT.slowS : 0.01;
    if (readings > 0) this.#appended(pipe, { isLane0: false, bytes: readings, tookS });
    if (alarms > 0) this.#appended(pipe, { isLane0: true, bytes: alarms, tookS: 0.002 });
  }

  /** C15: before a completion that lowers the drain the queue was full, or two in a row were slow. */
  #appended(pipe: number, append: Parameters<Allocator['appended']>[1]): void {
    const { drain, queued } = this.allocator.books.pipes[pipe] as Allocator['books']['pipes'][0];
    const before = drain.perSecond;
    if (!append.isLane0) {
      const inSlow = append.tookS < CREDIT.slowS ? 0 : (this.#inSlow.get(pipe) ?? 0) + 1;
      this.#inSlow.set(pipe, inSlow);
    }
    const isSlow = (this.#inSlow.get(pipe) ?? 0) > 1;
    const wasLow = queued + append.bytes < CREDIT.fullPart * before * drain.targetS;
    this.allocator.appended(pipe, append, this.#now);
    const fell = before - drain.perSecond;
    if (wasLow && !isSlow && fell > 1e-6)
      throw new Error(`C15: the drain fell by ${fell}, the queue was low`);
  }

  #tell(): void {
    const lane = this.#anyLane();
    if (!lane) return;
    if (this.#random() < 0.6) this.allocator.backlog(lane.channel, this.#below(1e6));
    else this.allocator.pong(lane.channel, this.#random() * 2);
  }

  #stopOrStart(): void {
    const pipe = this.#below(PIPES);
    const isStopped = this.allocator.books.pipes[pipe]?.stopped !== WHY.none;
    if (isStopped) this.allocator.start(pipe);
    else if (this.#random() < 0.3) this.allocator.stop(pipe, WHY.logDown);
  }

  #changeQuota(): void {
    const lane = this.#anyLane();
    if (!lane?.account) return;
    const { row, rate, burst } = lane.account;
    // Half of it for a moment is a change too; what was told as most stays true.
    this.allocator.quota(row, rate * (this.#random() < 0.5 ? 0.5 : 1), burst, this.#now);
  }

  // ---- the end

  /** C13: the log runs, everybody has backlog and uses what it gets: everybody is served. */
  #serveAll(): number {
    const { allocator } = this;
    for (let pipe = 0; pipe < PIPES; pipe += 1) allocator.start(pipe);
    allocator.late(0, 0);
    for (const { account } of this.lanes.values()) {
      if (account) allocator.quota(account.row, account.rate, account.burst, this.#now);
    }
    for (const { channel } of this.lanes.values()) allocator.backlog(channel, 1e9);
    return this.#serveOwed();
  }

  #serveOwed(): number {
    const { allocator } = this;
    const { rows } = allocator.books;
    const { received } = rows;
    const before = new Map([...this.lanes.keys()].map((row) => [row, received[row] as number]));
    // Lane 1 may use up a quota that lane 2 shares; without a reserve it waits for room.
    const owed = [...this.lanes.values()].filter(({ channel, lane, account }) =>
      lane === LANE.live ? rows.reserve[channel] !== 0 : lane === LANE.critical || !account,
    );
    const isServed = ({ channel }: Lane) => received[channel] !== before.get(channel);
    const most = this.#longestWait();
    for (let waited = 0; ; waited += LIVENESS_STEP_S) {
      if (owed.every(isServed)) return waited;
      if (waited > most) {
        const late = owed.filter((lane) => !isServed(lane)).map(({ lane }) => lane);
        throw new Error(`C13: lanes ${late.slice(0, 5)} not served within ${most.toFixed(1)} s`);
      }
      this.#now += LIVENESS_STEP_S;
      this.#useAll();
      this.#serve();
    }
  }

  #longestWait(): number {
    const one = 8256;
    const backfill = [...this.lanes.values()].filter(({ lane }) => lane === LANE.backfill).length;
    const slow = (2 * backfill * one) / (DRAIN_PER_SECOND * CREDIT.backfillTrickle);
    return 3 + (this.lanes.size * one) / DRAIN_PER_SECOND + slow;
  }

  #useAll(): void {
    for (let pipe = 0; pipe < PIPES; pipe += 1) {
      const bytes = DRAIN_PER_SECOND * LIVENESS_STEP_S;
      let frames = 0;
      for (let sum = 0; sum < bytes; frames += 1) {
        sum += this.queues[pipe]?.[frames]?.cost ?? bytes;
      }
      this.#settle(pipe, frames);
    }
    for (const lane of this.lanes.values()) {
      const cost = ODD_COST + (lane.channel % 7);
      // Half of them never say what they have.
      const backlog = lane.lane !== LANE.critical && lane.device % 2 === 0 ? 1e6 : -1;
      while (this.allocator.books.rows.credit(lane.channel) >= cost) {
        this.allocator.frame(lane.channel, cost, backlog, this.#now);
        this.#enqueue(lane, cost);
      }
    }
  }

  /** C16: everybody gone and everything settled, nothing is left over. */
  #endAll(): void {
    for (const device of [...this.#devices.keys()]) this.#disconnect(device);
    for (let pipe = 0; pipe < PIPES; pipe += 1) this.#settle(pipe, Number.POSITIVE_INFINITY);
    for (let step = 0; step < 400; step += 1) {
      this.#now += 0.1;
      this.allocator.serve(this.#now);
    }
    const { memory, pipes, rows, quotas, lists } = this.allocator.books;
    const queued = pipes.reduce((sum, pipe) => sum + Math.abs(pipe.queued), 0);
    const coming = pipes.reduce((sum, pipe) => sum + pipe.arrivals.bytes, 0);
    const left = {
      pool: memory.used,
      reserved: memory.reserved,
      queued,
      coming,
      rows: rows.inUse,
      quotas: quotas.inUse,
    };
    const isClean = Object.values(left).every((value) => Math.abs(value) < 0.01);
    if (!isClean || lists.total > 0) throw new Error(`C16: left over ${JSON.stringify(left)}`);
  }
}
