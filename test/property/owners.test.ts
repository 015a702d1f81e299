import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogRecord } from '../../src/model/record.ts';
import { LOG, type LogKind, RECORD } from '../../src/model/record.ts';
import { emptyHeader, readHeader } from '../../src/wire/record-header.ts';
import { type Disk, emptyDisk, VirtualNode, writeTo } from '../support/virtual-node.ts';

const GATEWAYS = 3;
const SHARDS = 4;
const ALL_SHARDS = 0b1111;

/** An append on its way: each shard of it has a time of its own to land. */
interface Request {
  readonly log: LogKind;
  readonly rows: readonly LogRecord[];
  readonly offsets: Float64Array;
  readonly isLanded: boolean[];
}

type Step = readonly [what: string, gateway: number, mask: number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('land some', 'land', 'answer', 'land', 'answer') },
    { weight: 2, arbitrary: fc.constantFrom('read', 'pass') },
    { weight: 1, arbitrary: fc.constantFrom('give up', 'read fails', 'late', 'frame', 'start') },
  ),
  fc.nat(GATEWAYS - 1),
  fc.nat(ALL_SHARDS),
);

const nameOf = (own: Uint8Array): string => own.join();

/** Gateways that all want the same log, which lands and answers what it likes when it likes. */
class Contest {
  readonly disk: Disk = emptyDisk();
  readonly everyone: VirtualNode[] = [];
  /** Who was seen as the owner of a (log, shard) while it served, and is so no more. */
  readonly #deposed = new Set<string>();
  readonly #gateways: VirtualNode[];
  readonly #requests = new Map<VirtualNode, Request>();
  readonly #late: { readonly request: Request; readonly mask: number }[] = [];

  constructor() {
    this.#gateways = Array.from({ length: GATEWAYS }, () => this.#fresh());
  }

  take([what, at, mask]: Step): void {
    const gateway = this.#gateways[at] as VirtualNode;
    switch (what) {
      case 'start':
        if (gateway.broken !== null) this.#gateways[at] = this.#fresh();
        return;
      case 'late':
        return this.#landLate(mask);
      case 'land some':
        return this.#land(this.#requestOf(gateway), mask);
      case 'land':
        return this.#land(this.#requestOf(gateway), ALL_SHARDS);
      case 'answer':
        return this.#answer(gateway);
      case 'give up':
        return this.#giveUp(gateway, mask);
      case 'read':
        return gateway.readGaps();
      case 'read fails':
        return this.#readFails(gateway);
      case 'frame':
        gateway.frame(gateway.publisher(`d${mask}`), { n: 1 + mask, lost: mask });
        return;
      default:
        return gateway.pass(1500);
    }
  }

  /** Every shard is served by one gateway at most, and who was deposed never comes back. */
  check(): void {
    const owners = ownersOf(this.disk);
    for (let shard = 0; shard < SHARDS; shard += 1) {
      const serving = new Set<string>();
      for (const log of [LOG.readings, LOG.alarms]) {
        const holder = owners.get(`${log} ${shard}`);
        for (const { own, gateway } of this.everyone) {
          if (!gateway.delivery.isOwner) continue;
          const name = nameOf(own);
          const place = `${log} ${shard} ${name}`;
          if (name !== holder) this.#deposed.add(place);
          else {
            expect(this.#deposed.has(place)).toBe(false);
            serving.add(name);
          }
        }
      }
      expect(serving.size).toBeLessThanOrEqual(1);
    }
  }

  #fresh(): VirtualNode {
    const gateway = new VirtualNode(this.disk, { isRecoverable: true });
    gateway.isPrompt = false;
    this.everyone.push(gateway.start());
    return gateway;
  }

  /** The append that the gateway waits for, if any. Results have no owner: they land at once. */
  #requestOf(gateway: VirtualNode): Request | null {
    const under = this.#requests.get(gateway);
    if (under) return under;
    for (let flight = gateway.flights.shift(); flight; flight = gateway.flights.shift()) {
      const { log, batch } = flight;
      if (log === LOG.aggregates) {
        gateway.step({ kind: 'appended', log, offsets: writeTo(this.disk, log, batch) });
        continue;
      }
      const copy = emptyDisk();
      writeTo(copy, log, batch);
      this.disk.schemas.push(...copy.schemas);
      const rows = copy.records;
      const request = { log, rows, offsets: new Float64Array(rows.length), isLanded: [] };
      this.#requests.set(gateway, request);
      return request;
    }
    return null;
  }

  #land(request: Request | null, mask: number): void {
    request?.rows.forEach((row, i) => {
      if (request.isLanded[i] || ((mask >> row.shard) & 1) === 0) return;
      const { records } = this.disk;
      const offset = records.filter(
        ({ log, shard }) => log === row.log && shard === row.shard,
      ).length;
      records.push({ ...row, offset });
      request.offsets[i] = offset;
      request.isLanded[i] = true;
    });
  }

  #answer(gateway: VirtualNode): void {
    const request = this.#requestOf(gateway);
    if (!request?.rows.every((_, i) => request.isLanded[i])) return;
    this.#requests.delete(gateway);
    gateway.step({ kind: 'appended', log: request.log, offsets: request.offsets });
  }

  #giveUp(gateway: VirtualNode, mask: number): void {
    const request = this.#requestOf(gateway);
    if (!request) return;
    this.#requests.delete(gateway);
    this.#late.push({ request, mask });
    gateway.step({ kind: 'failed', log: request.log, reason: 'timed out' });
  }

  #landLate(mask: number): void {
    const [late] = this.#late.splice(mask % Math.max(1, this.#late.length), 1);
    if (late) this.#land(late.request, late.mask);
  }

  #readFails(gateway: VirtualNode): void {
    const read = gateway.reads.shift();
    if (read) gateway.step({ kind: 'failed', log: read.log, reason: 'cannot be read' });
  }
}

/** Whose fence counts, by log and shard. */
function ownersOf(disk: Disk): Map<string, string> {
  const gens = new Map<string, number>();
  const owners = new Map<string, string>();
  const header = emptyHeader();
  for (const { log, shard, tg } of disk.records) {
    if (log === LOG.aggregates || !readHeader(tg, header) || header.kind !== RECORD.fence) continue;
    const place = `${log} ${shard}`;
    if (header.gen <= (gens.get(place) ?? 0)) continue;
    gens.set(place, header.gen);
    owners.set(place, nameOf(header.own));
  }
  return owners;
}

test('however fences land, two gateways that serve never hold a log each of one shard', () => {
  let served = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 300 }), (steps) => {
      const contest = new Contest();
      for (const each of steps) {
        contest.take(each);
        contest.check();
      }
      served += contest.everyone.filter(({ gateway }) => gateway.delivery.isOwner).length;
    }),
    { numRuns: 300 },
  );
  expect(served).toBeGreaterThan(20);
});
