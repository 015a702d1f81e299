import { createHash } from 'node:crypto';
import type { DeviceEffect, DeviceInput } from '../../src/client/device-io.ts';
import { DeviceSession } from '../../src/client/device-session.ts';
import { openIdentity } from '../../src/model/identity.ts';
import { LOG, type LogRecord } from '../../src/model/record.ts';
import { monoMs, type Now, wallUs } from '../../src/model/time.ts';
import { SharedLog } from '../sim/log.ts';
import { contentOfBlocks, Truth } from '../sim/truth.ts';
import { SmallAccount } from './small-account.ts';
import { decoded, isReplacedBy, SmallNames } from './small-names.ts';
import { SmallNode } from './small-node.ts';

const START_US = 1_761_962_400_000_000;
const DEVICE = 'd';
const LANE = 1;
/** Flows of bulk lanes are paced: after this nothing more is due. Units: ms. */
const PACE_MS = 25;
/** The longest rest of a gateway between two attempts to own its log. Units: ms. */
const REST_MS = 1000;
/** What the ring takes: a frame is about 40 bytes and its cost is 80 more. Units: bytes. */
const FRAME_BYTES = 128;

/** How large a small world is. */
export interface Bounds {
  readonly frames: number;
  readonly ringFrames: number;
  readonly cuts: number;
  readonly fails: number;
  readonly takeovers: number;
  readonly crashes: number;
}

/** A connection: what is under way in each direction. */
export interface SmallLink {
  /** Its session is one more: in the core 0 stands for none. */
  readonly no: number;
  readonly node: SmallNode;
  up: Uint8Array[];
  down: Uint8Array[];
  isOpen: boolean;
}

/**
 * One device and one lane, a few frames, and every step of device, network, log and gateways in the
 * hand of whoever searches: the real session code on both sides. What was done can be done again
 * from the start, and a state has a name, so that a search can tell what it has seen.
 */
export class SmallWorld {
  /** What is wrong; null as long as nothing is. */
  fault: string | null = null;
  readonly log: SharedLog;
  readonly #truth = new Truth();
  readonly #account = new SmallAccount(this.#truth);
  readonly #bounds: Bounds;
  readonly #left: { cuts: number; fails: number; takeovers: number; crashes: number };
  readonly #device: DeviceSession;
  readonly #nodes: SmallNode[] = [];
  readonly #links: SmallLink[] = [];
  readonly #names = new SmallNames();
  readonly #later: (() => void)[] = [];
  #ms = 0;
  #contents = 0;
  #link: SmallLink | null = null;
  #isDialling = false;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    const { cuts, fails, takeovers, crashes } = bounds;
    this.#left = { cuts, fails, takeovers, crashes };
    this.log = new SharedLog(1, (record) => this.#landed(record));
    this.#device = new DeviceSession({
      url: 'ws://127.0.0.1:1/v1',
      codec: 'cbor',
      lanes: [LANE],
      sets: [{ s: 2, lane: LANE, cols: [['x']] }],
      ringBytesMax: bounds.ringFrames * FRAME_BYTES,
      random: () => 0,
      keepsBlocks: true,
    });
    this.#startNode();
    this.#nodes[0]?.settleEverything();
    this.#give({ kind: 'tick' });
  }

  now(): Now {
    return { monoMs: monoMs(this.#ms), wallUs: wallUs(START_US + this.#ms * 1000) };
  }

  /** Everything that may happen next. */
  get actions(): readonly string[] {
    const actions: string[] = [];
    if (this.#contents < this.#bounds.frames) actions.push('form');
    const alive = this.#nodes.filter(({ isGone }) => !isGone);
    if (this.#isDialling) for (const { no } of alive) actions.push(`connect ${no}`);
    if (this.#link?.down.length) actions.push('down');
    for (const link of this.#links) {
      if (link.up.length > 0) actions.push(`up ${link.no}`);
      if (link.up.length > 0 && link !== this.#link) actions.push(`lose ${link.no}`);
    }
    if (this.#link && this.#left.cuts > 0) actions.push('cut');
    for (const node of this.#nodes) actions.push(...node.actions(this.#left.fails > 0));
    if (alive.length === 1 && this.#left.takeovers > 0) actions.push('takeover');
    if (alive.length > 0 && this.#left.crashes > 0) actions.push('crash');
    // A gateway may rest before it tries again: then there is nothing to do but to wait.
    return actions.length > 0 || this.isHome ? actions : ['wait'];
  }

  /** Nothing is left to bring home. */
  get isHome(): boolean {
    return this.#contents === this.#bounds.frames && this.#device.ring.count === 0;
  }

  take(action: string): void {
    const [what = '', which = '0'] = action.split(' ');
    const no = Number(which);
    if (what === 'form') this.#form();
    else if (what === 'connect') this.#connect(this.#nodes[no] as SmallNode);
    else if (what === 'down') this.#down();
    else if (what === 'up') this.#up(this.#links[no] as SmallLink);
    else if (what === 'lose') this.#lose(this.#links[no] as SmallLink);
    else if (what === 'cut') this.#cut();
    else if (what === 'takeover') {
      this.#left.takeovers -= 1;
      this.#startNode();
    } else if (what === 'crash') this.#crash();
    else if (what === 'wait') this.#ms += REST_MS;
    else {
      if (what === 'fail') this.#left.fails -= 1;
      this.#nodes[no]?.take(what);
    }
    this.#tidy();
    const vanished = this.#account.vanished(this.#device.ring.lane(LANE)?.all() ?? []);
    if (vanished !== null) this.fault ??= `content ${vanished} vanished`;
  }

  /** A name for everything that matters for what may follow; clocks do not. */
  get state(): string {
    const { ring, phase } = this.#device;
    const queue = ring.lane(LANE);
    const frames = queue
      ?.all()
      .map(({ n, lost, source }) => [n, lost, contentOfBlocks(source ?? [])]);
    const device = [phase, queue?.next, queue?.ack, queue?.lim, queue?.sent, frames];
    const links = this.#links
      .filter((link) => link === this.#link || link.up.length > 0)
      .map((link) => [
        link === this.#link,
        link.node.no,
        this.#names.words(link.up),
        this.#names.words(link.down),
      ]);
    const log = this.#truth.entries.map((entry) => this.#names.record(entry));
    const nodes = this.#nodes.map((node) =>
      node.state(DEVICE, (epoch) => this.#names.epoch(epoch)),
    );
    const { cuts, fails, takeovers, crashes } = this.#left;
    const budget = [cuts, fails, takeovers, crashes, this.#contents, this.#isDialling];
    return JSON.stringify([device, links, log, nodes, budget]);
  }

  /** Something that happens as soon as the present step is over. */
  later(act: () => void): void {
    this.#later.push(act);
  }

  /** Does what was left for later. */
  catchUp(): void {
    for (let act = this.#later.shift(); act; act = this.#later.shift()) act();
  }

  /** A gateway sent something to one of its sessions; flows replace each other. */
  told(session: number, bytes: Uint8Array): void {
    const link = this.#links[session - 1];
    const message = decoded(bytes, 'server');
    if (message.k === 'welcome' && message.ep !== undefined) this.#names.epoch(message.ep);
    if (message.k === 'away' && message.e >= 4000 && message.e < 4100 && message.e !== 4007) {
      this.fault ??= `told ${message.e}: ${message.m}`;
    }
    if (!link || link !== this.#link) return;
    if (message.k === 'flow' && isReplacedBy(link.down.at(-1), message)) link.down.pop();
    link.down.push(bytes);
  }

  #startNode(): void {
    this.#nodes.push(new SmallNode(this, this.#nodes.length, sha256));
  }

  /** The newest gateway dies. */
  #crash(): void {
    this.#left.crashes -= 1;
    this.#nodes.findLast(({ isGone }) => !isGone)?.crash();
  }

  #form(): void {
    this.#contents += 1;
    this.#account.given.add(this.#contents);
    const blocks = [{ s: 2, t: START_US, v: [Float64Array.of(this.#contents)] }];
    this.#give({ kind: 'form', lane: LANE, blocks });
  }

  #connect(node: SmallNode): void {
    this.#isDialling = false;
    const no = this.#links.length;
    this.#link = { no, node, up: [], down: [], isOpen: true };
    this.#links.push(this.#link);
    node.input({
      kind: 'connected',
      session: no + 1,
      codec: 'cbor',
      identity: openIdentity(DEVICE),
    });
    this.#give({ kind: 'opened' });
  }

  #down(): void {
    const bytes = this.#link?.down.shift();
    if (bytes) this.#give({ kind: 'message', bytes, isText: false });
  }

  #up(link: SmallLink): void {
    const payload = link.up.shift();
    if (payload) {
      link.node.input({ kind: 'message', session: link.no + 1, payload, isBinary: true });
    }
    if (!link.isOpen && link.up.length === 0) this.#lose(link);
  }

  #lose(link: SmallLink): void {
    link.up = [];
    link.node.input({ kind: 'disconnected', session: link.no + 1 });
  }

  #cut(): void {
    this.#left.cuts -= 1;
    this.#hangUp();
  }

  /** The device sees its connection end; what it sent may still arrive. */
  #hangUp(): void {
    const link = this.#link;
    if (!link) return;
    link.isOpen = false;
    this.#link = null;
    if (link.up.length === 0 && !link.node.isGone) this.#lose(link);
    this.#give({ kind: 'closed', ending: { code: 1006, status: 0, message: '' } });
  }

  #give(input: DeviceInput): void {
    for (const effect of this.#device.step(input, this.now())) this.#perform(effect);
    // Waiting is nothing that could be done otherwise: the device is woken at once.
    if (this.#device.phase !== 'offline') return;
    this.#ms = Math.max(this.#ms, this.#device.wakeAtMs);
    for (const effect of this.#device.step({ kind: 'tick' }, this.now())) this.#perform(effect);
  }

  #perform(effect: DeviceEffect): void {
    if (effect.kind === 'connect') this.#isDialling = true;
    else if (effect.kind === 'send' || effect.kind === 'sendFrame')
      this.#link?.up.push(effect.bytes);
    else if (effect.kind === 'stopped') this.fault ??= `the device gave up: ${effect.ending.code}`;
    else if (effect.kind === 'dropped') {
      // Without a frame it is the newest readings for which there was no room.
      const { source } = effect.frame ?? {};
      this.#account.given.delete(source ? contentOfBlocks(source) : this.#contents);
    } else if (effect.kind === 'acked') {
      for (const { n, source } of effect.freed) {
        const content = contentOfBlocks(source ?? []);
        if (!this.#account.isDurable(content)) this.fault ??= `acked frame ${n} is not in the log`;
      }
    } else if (effect.kind === 'close' && this.#link) {
      const link = this.#link;
      link.isOpen = false;
      this.#link = null;
      if (link.up.length === 0) this.#lose(link);
    }
  }

  #landed(record: LogRecord): void {
    const entry = this.#truth.landed(record);
    if (!entry?.isValid || record.log !== LOG.readings || entry.header.n === 0) return;
    const { n, lost, uncertain } = entry.header;
    if (n <= entry.before) this.fault ??= `record ${n} follows record ${entry.before}`;
    if (!uncertain && lost !== n - 1 - entry.before) this.fault ??= `record ${n} says lost ${lost}`;
  }

  /** What follows by itself: paced flows, the end of connections to a dead gateway, a new one. */
  #tidy(): void {
    this.catchUp();
    this.#ms += PACE_MS;
    for (const node of this.#nodes) node.input({ kind: 'tick' });
    this.catchUp();
    for (const link of this.#links) if (link.node.isGone) link.up = [];
    if (this.#link?.node.isGone) this.#hangUp();
    if (this.#nodes.every(({ isGone }) => isGone)) this.#startNode();
  }
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
