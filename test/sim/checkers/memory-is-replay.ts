import { LANES } from '../../../src/model/reading.ts';
import { RECORD } from '../../../src/model/record.ts';
import type { Welcome } from '../../../src/wire/messages.ts';
import type { MakeChecker } from '../checker.ts';
import type { Link } from '../network.ts';
import type { SimNode } from '../node.ts';
import { laneName } from '../truth.ts';
import type { World } from '../world.ts';

/** The newest epoch and n of a lane in the log. */
interface Last {
  readonly epoch: number;
  readonly n: number;
}

/** The last valid record of every lane of every device. */
function lastOf(world: World): Map<string, Last> {
  const last = new Map<string, Last>();
  for (const { header, device, isValid } of world.truth.entries) {
    if (!isValid || (header.kind !== RECORD.frame && header.kind !== RECORD.stub)) continue;
    const name = `${device} ${header.lane}`;
    const before = last.get(name);
    if (!before || header.epoch >= before.epoch) last.set(name, header);
  }
  return last;
}

/**
 * I10: what a gateway remembers of its devices equals a replay of the log, when it has read to its
 * fence, and again when everything has come home. What was processed at QoS 0 stands in no log.
 */
export const memoryIsReplay: MakeChecker = (world, blame) => {
  const processed = new Set<string>();
  const welcomed = ({ party }: Link, { ch = [], ep = 0 }: Welcome): void => {
    for (const [lane, qos] of ch) if (qos === 0) processed.add(laneName(party, lane, ep));
  };
  const compare = (node: SimNode): void => {
    if (!world.truth.isOwner(node.owner, world.plan.shards)) return;
    const last = lastOf(world);
    for (const { path } of world.devices) {
      const device = node.gateway.ingest.devices.find(path);
      for (let lane = 0; lane < LANES; lane += 1) {
        const logged = last.get(`${path} ${lane}`);
        const state = device?.lanes[lane];
        const [epoch, n] = [state?.epoch ?? 0, state?.lastRow ?? 0];
        if (processed.has(laneName(path, lane, epoch))) continue;
        if (epoch === (logged?.epoch ?? 0) && n === (logged?.n ?? 0)) continue;
        const truth = `${logged?.epoch ?? 0}:${logged?.n ?? 0}`;
        blame(`${node.name} remembers ${epoch}:${n} of lane ${lane}; the log says ${truth}`, path);
      }
    }
  };
  return {
    name: 'I10 memory is a replay of the log',
    kinds: ['owned', 'told', 'calm'],
    see(fact) {
      if (fact.kind === 'owned') compare(fact.node);
      else if (fact.kind === 'told' && fact.message.k === 'welcome') {
        welcomed(fact.link, fact.message);
      } else if (fact.kind === 'calm') for (const node of world.running) compare(node);
    },
  };
};
