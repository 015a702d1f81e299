import { setTimeout as sleep } from 'node:timers/promises';
import { API } from '../support/kafka/kafka-protocol.ts';
import type { KafkaProxy, ProxyRules } from '../support/kafka/proxy.ts';
import type { Fate, SeenRequest } from '../support/kafka/proxy-link.ts';

/** The faults, with how often each is drawn. */
const WEIGHTS = {
  'late, after answers': 16,
  'late, after a time': 14,
  'answer held': 14,
  'answer lost': 16,
  'request lost': 14,
  'connection mute': 7,
  'connection deaf': 4,
  'partition unknown': 6,
  'reader mute': 2,
  'reader cut': 3,
  'all connections lost': 4,
} as const;

/** The name of a fault. */
export type FaultName = keyof typeof WEIGHTS;

const NAMES = Object.keys(WEIGHTS) as FaultName[];

/** The topics whose writing is disturbed, with how often. */
const TOPICS = { readings: 70, alarms: 22, aggregates: 8 } as const;

/** So many faults come at once: they strike the fence, or what is appended again. */
const AT_ONCE = 0.35;
const GAP_MS = [50, 900] as const;
/** The gateway's deadline is 3 s: before it, about it, after it. Units: ms. */
const HELD_MS = [1500, 5000] as const;
const LATE_MS = [200, 6000] as const;
/** A late request that waits for answers does not wait longer. Units: ms. */
const LATE_MS_MAX = 8000;
const LATE_ANSWERS_MAX = 3;
/** So many late requests lose their client at once; the others wait for their deadline. */
const LATE_AND_CUT = 0.6;
const HIDDEN_MS = [50, 400] as const;
const DOWN_MS = [100, 2500] as const;
/** Nothing was written that the next fault could strike. Units: ms. */
const NOTHING_MS_MAX = 90_000;
const LOOK_MS = 50;
/** The producer of one log asks about its topic, schemas and rejects at most; readers about more. */
const PRODUCER_TOPICS_MAX = 3;

const PASS: Fate = { kind: 'pass' };

interface Fault {
  readonly name: FaultName;
  readonly topic: string;
  readonly dueMs: number;
}

/** A late request that waits for answers to others. */
interface Waiting {
  readonly topic: string;
  readonly link: number;
  left: number;
  release(): void;
}

/** Strikes requests of a gateway, one after the other, as a seed says. */
export class Faults implements ProxyRules {
  /** How often each fault has struck. */
  readonly counts = new Map<FaultName, number>();
  /** How many struck the first write of a connection: a fence, or a gateway's first append. */
  onFirstWrites = 0;
  readonly #proxy: KafkaProxy;
  readonly #random: () => number;
  readonly #prefix: string;
  readonly #total: number;
  readonly #writers = new Set<number>();
  #struck = 0;
  #lastMs = performance.now();
  #next: Fault | null;
  #waiting: Waiting[] = [];
  #hidden: { readonly topic: string; readonly partition: number; untilMs: number } | null = null;
  /** What the next request of a reader suffers. */
  #readerFate: Fate | null = null;

  constructor(
    proxy: KafkaProxy,
    options: { readonly random: () => number; readonly prefix: string; readonly total: number },
  ) {
    this.#proxy = proxy;
    this.#random = options.random;
    this.#prefix = options.prefix;
    this.#total = options.total;
    this.#next = options.total > 0 ? this.#draw() : null;
  }

  get struck(): number {
    return this.#struck;
  }

  /** Resolves when so many have struck. Rejects if nothing comes that they could strike. */
  async until(count: number): Promise<void> {
    while (this.#struck < Math.min(count, this.#total)) {
      if (performance.now() - this.#lastMs > NOTHING_MS_MAX) {
        throw new Error(`no write of ${this.#next?.topic} for ${NOTHING_MS_MAX} ms`);
      }
      await sleep(LOOK_MS);
    }
  }

  /** No further faults; what is late arrives. */
  calm(): void {
    this.#next = null;
    this.#hidden = null;
    this.#readerFate = null;
    for (const waiting of this.#waiting.splice(0)) waiting.release();
  }

  fateOf(request: SeenRequest): Fate {
    if (request.api === API.fetch) return this.#readerFateNow();
    const isFirst = this.#isFirstWrite(request);
    const fault = this.#next;
    if (!fault || performance.now() < fault.dueMs || !writes(request, fault.topic)) return PASS;
    this.#struck += 1;
    this.#lastMs = performance.now();
    this.counts.set(fault.name, (this.counts.get(fault.name) ?? 0) + 1);
    if (isFirst) this.onFirstWrites += 1;
    this.#next = this.#struck < this.#total ? this.#draw() : null;
    return this.#fate(fault, request);
  }

  answered({ link, produced }: SeenRequest): void {
    for (const waiting of this.#waiting) {
      if (link === waiting.link || !produced.some(({ topic }) => topic === waiting.topic)) continue;
      waiting.left -= 1;
      if (waiting.left === 0) waiting.release();
    }
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
  }

  isHidden(topic: string, partition: number, topics: readonly string[]): boolean {
    const hidden = this.#hidden;
    if (!hidden || topics.length > PRODUCER_TOPICS_MAX) return false;
    if (topic !== hidden.topic || partition !== hidden.partition) return false;
    return performance.now() < hidden.untilMs;
  }

  #isFirstWrite({ link, api }: SeenRequest): boolean {
    if (api !== API.produce || this.#writers.has(link)) return false;
    this.#writers.add(link);
    return true;
  }

  #draw(): Fault {
    const name = this.#pick(NAMES, (one) => WEIGHTS[one]);
    const topics = Object.keys(TOPICS) as (keyof typeof TOPICS)[];
    const topic = `${this.#prefix}.${this.#pick(topics, (one) => TOPICS[one])}`;
    const gap = this.#random() < AT_ONCE ? 0 : this.#between(GAP_MS);
    return { name, topic, dueMs: performance.now() + gap };
  }

  #fate({ name, topic }: Fault, request: SeenRequest): Fate {
    switch (name) {
      case 'late, after answers':
        return this.#late(this.#answers(topic, request.link));
      case 'late, after a time':
        return this.#late(sleep(this.#between(LATE_MS)));
      case 'answer held':
        return { kind: 'unanswered', until: sleep(this.#between(HELD_MS)) };
      case 'answer lost':
        return { kind: 'cut' };
      case 'request lost':
        return { kind: 'lost' };
      case 'connection mute':
        return { kind: 'mute' };
      case 'reader mute':
      case 'reader cut':
        // The answer that is lost makes the gateway read, and then its reader is struck too.
        this.#readerFate = { kind: name === 'reader mute' ? 'mute' : 'lost' };
        return { kind: 'cut' };
      case 'connection deaf':
        return { kind: 'deaf' };
      case 'partition unknown':
        this.#hide(topic, request);
        return { kind: 'cut' };
      case 'all connections lost':
        void this.#goDown();
        return { kind: 'lost' };
    }
  }

  #readerFateNow(): Fate {
    const fate = this.#readerFate ?? PASS;
    this.#readerFate = null;
    return fate;
  }

  #late(until: Promise<unknown>): Fate {
    return { kind: 'late', until, isCut: this.#random() < LATE_AND_CUT };
  }

  #answers(topic: string, link: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const left = 1 + Math.floor(this.#random() * LATE_ANSWERS_MAX);
    this.#waiting.push({ topic, link, left, release: resolve });
    setTimeout(resolve, LATE_MS_MAX).unref();
    return promise;
  }

  #hide(topic: string, { produced }: SeenRequest): void {
    const partitions = produced.find((one) => one.topic === topic)?.partitions ?? [];
    const partition = partitions[Math.floor(this.#random() * partitions.length)] ?? 0;
    this.#hidden = { topic, partition, untilMs: performance.now() + this.#between(HIDDEN_MS) };
  }

  async #goDown(): Promise<void> {
    this.#proxy.isDown = true;
    await sleep(this.#between(DOWN_MS));
    this.#proxy.isDown = false;
  }

  #between([least, most]: readonly [number, number]): number {
    return least + this.#random() * (most - least);
  }

  #pick<Name>(names: readonly Name[], weightOf: (name: Name) => number): Name {
    let rest = this.#random() * names.reduce((sum, name) => sum + weightOf(name), 0);
    for (const name of names) {
      rest -= weightOf(name);
      if (rest < 0) return name;
    }
    return names.at(-1) as Name;
  }
}

const writes = ({ api, produced }: SeenRequest, topic: string): boolean =>
  api === API.produce && produced.some((one) => one.topic === topic);
