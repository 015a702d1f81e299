import { Aggregation } from '../../../src/aggregation/aggregation.ts';
import { LOG, type LogKind, type SchemaRecord } from '../../../src/model/record.ts';
import { AGGREGATES, type Series } from '../../../src/model/window.ts';
import { decodeCause, isNotAfter, type ResultCause } from '../../../src/wire/result-cause.ts';
import { decodeSchema } from '../../../src/wire/schema.ts';
import type { MakeChecker } from '../checker.ts';
import type { SimNode } from '../node.ts';
import { nameOf } from '../truth.ts';
import type { World } from '../world.ts';

const CLASSES = [0, 1, 2];
const AHEAD_US = 1_000_000;

/** What a fresh aggregation makes of the log. */
interface Replay {
  readonly aggregation: Aggregation;
  /** Results in the order of their causes, by log and shard. */
  readonly results: Map<string, string[]>;
}

const placeOf = ({ log, shard }: { log: LogKind; shard: number }): string => `${log} ${shard}`;

function schemasOf(records: readonly SchemaRecord[]) {
  const schemas = new Map(
    records.map(({ hash, bytes }) => [nameOf(hash), decodeSchema(bytes, hash)]),
  );
  return (hash: Uint8Array) => schemas.get(nameOf(hash)) ?? undefined;
}

function replay(world: World): Replay {
  const results = new Map<string, string[]>();
  const put = (cause: ResultCause, result: unknown): void => {
    const list = results.get(placeOf(cause)) ?? [];
    results.set(placeOf(cause), list);
    list.push(JSON.stringify(result));
  };
  const aggregation = new Aggregation({
    shards: world.plan.shards,
    schemas: schemasOf(world.log.schemas),
    sink: { result: put, changed: () => {}, appeared: () => {} },
  });
  for (const { record, header, isValid } of world.truth.entries) {
    if (isValid) aggregation.apply(record, header);
  }
  return { aggregation, results };
}

/** What readers of the aggregates log keep: copies, which are not above the last cause, are out. */
function publishedOf(world: World): Map<string, string[]> {
  const published = new Map<string, string[]>();
  const last = new Map<string, ResultCause>();
  for (let shard = 0; shard < world.plan.shards; shard += 1) {
    for (const { tg, value } of world.log.records(LOG.aggregates, shard)) {
      const cause = decodeCause(tg, shard);
      if (!cause) throw new Error('an aggregates record without a cause');
      const place = placeOf(cause);
      const before = last.get(place);
      if (before && isNotAfter(cause, before)) continue;
      last.set(place, cause);
      const list = published.get(place) ?? [];
      published.set(place, list);
      list.push(new TextDecoder().decode(value));
    }
  }
  return published;
}

/** All kept windows of a series, as text. */
function windowsOf({ topic, windows }: Series): string {
  const text = [topic];
  for (const classId of CLASSES) {
    const kept = windows[classId];
    for (let i = 0; i < (kept?.count ?? 0); i += 1) {
      const values = AGGREGATES.map((name) => kept?.valueAt(i, name));
      text.push(`${classId} ${kept?.startAt(i)} ${kept?.statusAt(i)} ${values.join()}`);
    }
  }
  return text.join('\n');
}

const seriesOf = (aggregation: Aggregation): string[] =>
  [...aggregation.series()].map(windowsOf).toSorted();

/**
 * D6 and T2: results and windows are a function of the log. A fresh aggregation fed with the valid
 * records gives the results that were published, in their order, and the windows that the gateway
 * shows; and no watermark is ahead of the log clock.
 */
export const replayIsLive: MakeChecker = (world, blame) => {
  const compareNode = ({ name, gateway }: SimNode, again: Replay): void => {
    const [live, fresh] = [seriesOf(gateway.aggregation), seriesOf(again.aggregation)];
    const at = fresh.findIndex((series, i) => series !== live[i]);
    if (at < 0 && live.length === fresh.length) return;
    const topic = fresh[at]?.split('\n')[0] ?? 'a series';
    blame(`${name} shows other windows of ${topic} than a replay gives`);
  };
  const compareResults = (again: Replay): void => {
    const published = publishedOf(world);
    for (const [place, results] of again.results) {
      const found = published.get(place) ?? [];
      const at = results.findIndex((result, i) => result !== found[i]);
      if (at < 0 && found.length === results.length) continue;
      blame(`log ${place}: result ${at} of ${results.length} is ${found[at]}, not ${results[at]}`);
    }
  };
  const checkClock = ({ aggregation }: Replay): void => {
    let clockUs = 0;
    for (const { header } of world.truth.entries) clockUs = Math.max(clockUs, header.recv);
    for (const { path } of world.devices) {
      for (const classId of [0, 1, 2] as const) {
        if (aggregation.watermark(path, classId) <= clockUs + AHEAD_US) continue;
        blame(`the watermark of class ${classId} is ahead of the log clock`, path);
      }
    }
  };
  return {
    name: 'D6 T2 replay equals live',
    kinds: ['calm'],
    see(fact) {
      if (fact.kind !== 'calm') return;
      const again = replay(world);
      checkClock(again);
      compareResults(again);
      for (const node of world.running) {
        if (world.truth.isOwner(node.owner, world.plan.shards)) compareNode(node, again);
      }
    },
  };
};
