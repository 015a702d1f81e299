import type { Input } from '../../../src/gateway/io.ts';
import { CODES } from '../../../src/model/errors.ts';
import type { Codec, SessionId } from '../../../src/model/machine.ts';
import type { Dice } from '../../sim/random.ts';
import { VirtualNode } from '../../support/virtual-node.ts';
import { clockMs } from '../cpu-clock.ts';
import { fromChunks, mutateChunks, toChunks } from '../grow/chunks.ts';
import { join, mutateBytes } from '../grow/mutate-bytes.ts';
import { mutateCbor } from '../grow/mutate-cbor.ts';
import { mutateJson } from '../grow/mutate-json.ts';
import { ACT, ACTS, PATHS, sessionsOf } from '../grow/sessions.ts';
import { claim } from '../oracle/finding.ts';
import type { Attempt, Target } from './target.ts';

const HEAD_BYTES = 2;
const OPENING_BRACE = 0x7b;
const PASS_MS_MAX = 3000;
/** Longer than any batch waits, and than a flow is held back. Units: ms. */
const SETTLING_MS = 100;

/** The whole gateway: what peers do to it must not hurt a bystander, and every frame is counted. */
export class SessionTarget implements Target {
  readonly name = 'session';
  readonly share = 30;
  readonly parts = { split: toChunks, join: fromChunks };

  make(dice: Dice): Uint8Array {
    return sessionsOf(dice);
  }

  mutate(dice: Dice, bytes: Uint8Array, donor: Uint8Array): Uint8Array {
    return mutateChunks(dice, bytes, donor, (chunk) => {
      const [head, payload] = [chunk.subarray(0, HEAD_BYTES), chunk.subarray(HEAD_BYTES)];
      if (dice.chance(0.1)) return mutateBytes(dice, chunk);
      const change = payload[0] === OPENING_BRACE ? mutateJson : mutateCbor;
      return join(head, change(dice, payload, payload));
    });
  }

  attempt(bytes: Uint8Array): Attempt {
    const street = new Street();
    for (const chunk of toChunks(bytes)) street.act(chunk);
    street.claimGood();
    return { ms: street.ms, sign: street.sign };
  }
}

/** Knows how long each of its steps took: a turn of a gateway's event loop has one. */
class TimedNode extends VirtualNode {
  readonly stepMs: number[] = [];

  override step(input: Input): void {
    const begun = clockMs();
    super.step(input);
    this.stepMs.push(clockMs() - begun);
  }
}

interface Peer {
  readonly session: SessionId;
  readonly codec: Codec;
}

/** A gateway with a bystander, and up to four peers. */
class Street {
  readonly ms: number[] = [];
  readonly #faults: string[] = [];
  readonly #node: TimedNode;
  readonly #bystander: SessionId;
  readonly #watcher: SessionId;
  readonly #peers = new Map<number, Peer>();
  readonly #sessions: SessionId[] = [];

  constructor() {
    const onFault = (fault: unknown): void => void this.#faults.push(JSON.stringify(fault));
    this.#node = new TimedNode(undefined, { onFault }).start();
    this.#bystander = this.#node.publisher('by/stander');
    this.#watcher = this.#node.connect('cbor');
    this.#node.send(this.#watcher, { k: 'hello', rx: 65_536 });
    this.#node.send(this.#watcher, { k: 'sub', c: 1, p: ['#'], win: 1000, agg: ['n', 'mean'] });
  }

  act(chunk: Uint8Array): void {
    const slot = (chunk[1] ?? 0) % PATHS.length;
    const payload = chunk.slice(HEAD_BYTES);
    const peer = this.#peers.get(slot);
    switch ((chunk[0] ?? 0) % ACTS) {
      case ACT.message:
        return this.#message(peer, payload);
      case ACT.wrongOpcode:
        return this.#message(peer, payload, true);
      case ACT.connectCbor:
        return this.#connect(slot, 'cbor', PATHS[slot] ?? null);
      case ACT.connectJson:
        return this.#connect(slot, 'json', PATHS[slot] ?? null);
      case ACT.watchCbor:
        return this.#connect(slot, 'cbor', null);
      case ACT.watchJson:
        return this.#connect(slot, 'json', null);
      case ACT.disconnect:
        return this.#disconnect(slot);
      case ACT.pass:
        return this.#pass(1 + ((((payload[0] ?? 0) << 8) | (payload[1] ?? 0)) % PASS_MS_MAX));
      case ACT.holdLog:
        this.#node.isPrompt = false;
        return;
      case ACT.landLog:
        this.#node.isPrompt = true;
        return this.#land();
    }
  }

  /** The bystander is served, the ledger adds up, and nobody is left behind. */
  claimGood(): void {
    const node = this.#node;
    node.isPrompt = true;
    this.#land();
    this.#pass(SETTLING_MS);
    this.#claimCounts();
    node.frame(this.#bystander, { n: 1 });
    node.pass(SETTLING_MS);
    const { ack } = node.flow(this.#bystander, 1);
    claim(ack === 1, `the bystander's frame is not acknowledged: ${ack}`);
    for (const session of [this.#bystander, this.#watcher]) {
      claim(node.closed(session) === null, `a bystander is sent away: ${node.closed(session)}`);
    }
    this.#claimCodes();
    for (const slot of [...this.#peers.keys()]) this.#disconnect(slot);
    node.pass(SETTLING_MS);
    claim(node.gateway.ingest.sessions === 2, `${node.gateway.ingest.sessions} sessions are left`);
    this.#claimCounts();
    claim(node.gateway.ingest.ledger.inFlight === 0, 'frames are in flight for ever');
    claim(node.broken === null, `the node broke: ${node.broken}`);
    claim(this.#faults.length === 0, `a session broke an invariant: ${this.#faults[0]}`);
  }

  /** What the peers were told, kinds and close codes. */
  get sign(): string {
    const told = new Set<string>();
    for (const session of this.#sessions) {
      for (const message of this.#node.heard.get(session)?.messages ?? []) {
        if (message.k === 'away' || message.k === 'reject') told.add(`${message.e} ${message.m}`);
        else told.add(message.k);
      }
    }
    return [...told].sort().join();
  }

  #message(peer: Peer | undefined, payload: Uint8Array, isWrong = false): void {
    if (peer === undefined || this.#node.closed(peer.session) !== null) return;
    const isBinary = peer.codec === 'cbor';
    const begun = clockMs();
    this.#node.sendBytes(peer.session, payload, isBinary !== isWrong);
    this.ms.push(clockMs() - begun);
  }

  /** What follows from a message may come later: each step of it counts by itself. */
  #pass(ms: number): void {
    this.#node.stepMs.length = 0;
    this.#node.pass(ms);
    for (const step of this.#node.stepMs) this.ms.push(step);
  }

  #land(): void {
    const begun = clockMs();
    this.#node.land();
    this.ms.push(clockMs() - begun);
  }

  #connect(slot: number, codec: Codec, who: string | null): void {
    this.#disconnect(slot);
    const session = this.#node.connect(codec, who);
    this.#peers.set(slot, { session, codec });
    this.#sessions.push(session);
  }

  #disconnect(slot: number): void {
    const peer = this.#peers.get(slot);
    if (peer !== undefined) this.#node.disconnect(peer.session);
    this.#peers.delete(slot);
  }

  /** received = settled + in flight + closed, and every durable reading became something. */
  #claimCounts(): void {
    const { ledger } = this.#node.gateway.ingest;
    const settled = ledger.durable + ledger.duplicate + ledger.rejected + ledger.dropped;
    const closed = [...ledger.closed.values()].reduce((sum, count) => sum + count, 0);
    const sum = settled + ledger.inFlight + closed;
    claim(ledger.received === sum, `${ledger.received} frames received, ${sum} accounted for`);
    const { aggregated, late, future, excluded, refused } = this.#node.gateway.aggregation.counters;
    const read = aggregated + late + future + excluded + refused;
    const { readingsDurable } = ledger;
    claim(readingsDurable === read, `${readingsDurable} readings durable, ${read} accounted for`);
  }

  /** Every code is one of the table, and nobody is told of a bug of ours. */
  #claimCodes(): void {
    for (const session of this.#sessions) {
      const code = this.#node.closed(session);
      claim(code === null || code in CODES, `closed with ${code}`);
      claim(code !== 1011, 'a session is closed with 1011');
    }
  }
}
