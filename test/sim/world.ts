import { HEARTBEATS_SILENT_MAX } from '../../src/model/limits.ts';
import type { LogRecord } from '../../src/model/record.ts';
import type { Checker, MakeChecker } from './checker.ts';
import { CHECKERS } from './checkers/all.ts';
import { differenceOf } from './checkers/dashboards.ts';
import { SimClock } from './clock.ts';
import type { SimDashboard } from './dashboard.ts';
import type { SimDevice } from './device.ts';
import { Digest } from './digest.ts';
import type { Fact } from './facts.ts';
import { Faults } from './faults.ts';
import { SharedLog } from './log.ts';
import { LogClient } from './log-client.ts';
import { type ClientEnd, Link } from './network.ts';
import { SimNode } from './node.ts';
import { bulkBytesMaxOf, type FaultName, HEARTBEATS_MS, nodeClockOf, type Plan } from './plan.ts';
import { dashboardOf, deviceOf } from './population.ts';
import { Dice } from './random.ts';
import { SessionBook } from './session-book.ts';
import { Tally } from './tally.ts';
import { Timeline } from './timeline.ts';
import { Truth } from './truth.ts';

/** What a checker found. */
export interface Violation {
  readonly checker: string;
  readonly sentence: string;
  /** The device or dashboard concerned. */
  readonly party: string | null;
  /** When, in virtual time. Units: ms. */
  readonly ms: number;
}

/** How a world went. */
export interface Outcome {
  readonly seed: number;
  readonly digest: string;
  readonly virtualMs: number;
  readonly events: number;
  /** How often each fault struck. */
  readonly strikes: Readonly<Partial<Record<FaultName, number>>>;
  readonly violation: Violation | null;
}

/** A new gateway takes over from one that is gone after so long. Units: ms. */
const RESTART_MS = [200, 4000] as const;
/** A stale route leads to an older gateway that still runs. */
const STALE_ROUTE = 0.15;
/** After the faults everything has to be home, and every dashboard up to date, within these. */
const HOME_MS = 900_000;
const SHOWN_MS = 600_000;
const LOOK_MS = 1000;
/** A connection that died without a word is noticed after its silent heartbeats, and then some. */
const LEAVE_MS = HEARTBEATS_SILENT_MAX * Math.max(...HEARTBEATS_MS) + 10_000;
const LAST_MARK_MS = 10_000;

/** One simulated deployment: gateways one after the other, devices, dashboards, a shared log. */
export class World {
  readonly plan: Plan;
  readonly timeline = new Timeline();
  readonly truth = new Truth();
  readonly sessions = new SessionBook();
  readonly tally = new Tally(this.sessions);
  readonly log: SharedLog;
  readonly faults: Faults;
  readonly devices: readonly SimDevice[];
  readonly dashboards: SimDashboard[];
  /** Every gateway that ever ran, in order. */
  readonly nodes: SimNode[] = [];
  /** Connections whose client is there. */
  readonly links = new Set<Link>();
  readonly #byPath: ReadonlyMap<string, SimDevice>;
  readonly #dice: Dice;
  readonly #digest = new Digest();
  readonly #checkers = new Map<Fact['kind'], Checker[]>();
  readonly #onFact: ((fact: Fact) => void) | undefined;
  #sessionNo = 0;
  #violation: Violation | null = null;

  /** `onFact` is told of everything that happens, for a trace. */
  constructor(
    plan: Plan,
    makeCheckers: readonly MakeChecker[] = CHECKERS,
    onFact?: (fact: Fact) => void,
  ) {
    this.plan = plan;
    this.#onFact = onFact;
    this.#dice = new Dice(plan.seed, 'world');
    this.log = new SharedLog(plan.shards, (record) => this.#landed(record));
    this.faults = new Faults(this, new Dice(plan.seed, 'faults'));
    for (const make of makeCheckers) this.#engage(make);
    this.devices = plan.devices.map((habits) => deviceOf(this, habits));
    this.dashboards = plan.dashboards.map((habits) => dashboardOf(this, habits));
    this.#byPath = new Map(this.devices.map((device) => [device.path, device]));
  }

  run(): Outcome {
    const { plan, timeline } = this;
    try {
      this.#startNode();
      this.faults.begin();
      this.#pass(plan.faultyMs);
      this.#heal();
      this.#leave();
    } catch (error) {
      const sentence = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#blame('nothing throws', sentence, null);
    }
    return {
      seed: plan.seed,
      digest: this.#digest.text,
      virtualMs: timeline.ms,
      events: timeline.events,
      strikes: this.tally.strikes,
      violation: this.#violation,
    };
  }

  /** The gateways that run, the newest last. */
  get running(): readonly SimNode[] {
    return this.nodes.filter((node) => !node.isGone);
  }

  device(path: string): SimDevice | undefined {
    return this.#byPath.get(path);
  }

  /** Something happened: everybody who judges is told. */
  readonly tell = (fact: Fact): void => {
    this.sessions.see(fact);
    this.tally.see(fact);
    this.faults.see(fact);
    this.#onFact?.(fact);
    for (const checker of this.#checkers.get(fact.kind) ?? []) checker.see(fact);
  };

  /** A second gateway is started while the first one runs. */
  takeOver(): void {
    this.#startNode();
  }

  /** Opens a connection for a client; the gateway is the newest one, or one of the others. */
  dial(client: ClientEnd, who: Pick<Link, 'party' | 'isDevice' | 'codec'>): Link {
    const { running } = this;
    const server = this.#dice.chance(STALE_ROUTE) ? this.#dice.pick(running) : running.at(-1);
    this.#sessionNo += 1;
    const session = this.#sessionNo;
    const parties = { ...who, session, client, server: server ?? REFUSING };
    const link = new Link(parties, this.timeline, new Dice(this.plan.seed, `link ${session}`));
    this.links.add(link);
    for (const each of this.links) if (!each.isClientOpen) this.links.delete(each);
    return link;
  }

  get #isOver(): boolean {
    return this.#violation !== null;
  }

  #pass(ms: number): void {
    if (!this.#isOver) this.timeline.run(this.timeline.ms + ms, () => this.#isOver);
  }

  #passUntil(isDone: () => boolean, mostMs: number): void {
    const deadlineMs = this.timeline.ms + mostMs;
    while (!this.#isOver && this.timeline.ms < deadlineMs && !isDone()) this.#pass(LOOK_MS);
  }

  #engage(make: MakeChecker): void {
    const checker: Checker = make(this, (sentence, party) =>
      this.#blame(checker.name, sentence, party ?? null),
    );
    for (const kind of checker.kinds) {
      const those = this.#checkers.get(kind) ?? [];
      this.#checkers.set(kind, those);
      those.push(checker);
    }
  }

  /** Only the first violation counts: what follows may follow from it. */
  #blame(checker: string, sentence: string, party: string | null): void {
    this.#violation ??= { checker, sentence, party, ms: this.timeline.ms };
  }

  #landed(record: LogRecord): void {
    this.#digest.number(record.offset);
    this.#digest.bytes(record.tg);
    this.#digest.bytes(record.value);
    const entry = this.truth.landed(record);
    if (entry) this.tell({ kind: 'landed', entry });
  }

  #startNode(): void {
    const { plan, timeline } = this;
    const name = `gateway-${this.nodes.length + 1}`;
    const dice = new Dice(plan.seed, name);
    const { weather } = this.faults;
    const toLog = { log: this.log, timeline, weather, isFile: plan.isFile };
    const wrongness = nodeClockOf(dice);
    if (wrongness.skewMs !== 0) this.tally.strike('clocks differ');
    const bulkBytesMax = bulkBytesMaxOf(dice);
    if (bulkBytesMax < Number.POSITIVE_INFINITY) this.tally.strike('largest frame lowered');
    const node = new SimNode({
      name,
      bulkBytesMax,
      shards: plan.shards,
      budgetBytes: plan.budgetBytes,
      sessions: plan.sessions,
      unitsPerStep: plan.unitsPerStep,
      isRecoverable: !plan.isFile,
      timeline,
      dice,
      clock: new SimClock(timeline, wrongness),
      connectLog: (answer) =>
        new LogClient({ ...toLog, dice: new Dice(plan.seed, `${name} log`), answer }),
      tell: this.tell,
      onBytes: (bytes) => this.#digest.bytes(bytes),
      onGone: () => this.#supervise(),
    });
    this.nodes.push(node);
  }

  /** Somebody has to serve. */
  #supervise(): void {
    this.timeline.after(this.#dice.between(...RESTART_MS), () => {
      if (this.running.length === 0) this.#startNode();
    });
  }

  /** The faults are over: everything has to come home, and every dashboard has to show it. */
  #heal(): void {
    this.faults.end();
    for (const device of this.devices) device.fallSilent();
    this.#passUntil(() => this.#isHome, HOME_MS);
    const newcomer = { ...this.plan.dashboards[0], name: 'newcomer', minimumIntervalMs: 0 };
    this.dashboards.push(dashboardOf(this, { codec: 'cbor', hasCredit: true, ...newcomer }));
    this.#passUntil(() => this.#isHome && this.#isShown, SHOWN_MS);
    if (!this.#isOver) this.tell({ kind: 'calm' });
  }

  get #isIdle(): boolean {
    return this.running.every(({ gateway }) => gateway.delivery.isIdle);
  }

  get #isHome(): boolean {
    return this.#isIdle && this.devices.every(({ program }) => program.retained === 0);
  }

  get #isShown(): boolean {
    return this.dashboards.every((dashboard) => differenceOf(this, dashboard) === null);
  }

  #leave(): void {
    for (const device of this.devices) device.give({ kind: 'leave' });
    for (const dashboard of this.dashboards) dashboard.stop();
    this.#pass(LEAVE_MS);
    // A class that is gone by now may have its mark on the way at this very moment.
    this.#passUntil(() => this.#isIdle, LAST_MARK_MS);
    if (!this.#isOver) this.tell({ kind: 'end' });
  }
}

/** Nobody listens: the attempt to connect fails. */
const REFUSING = {
  connected: (link: Link): void => link.serverGone(),
  message: (): void => {},
  heard: (): void => {},
  disconnected: (): void => {},
};
