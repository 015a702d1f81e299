import type { MakeChecker } from '../checker.ts';
import type { SimNode } from '../node.ts';

/** What a gateway still holds after everybody has left, by name; all of it should be 0. */
function heldBy({ gateway, links }: SimNode): Record<string, number> {
  const { ingest, fanout, delivery } = gateway;
  const held: Record<string, number> = {
    sockets: links.size,
    sessions: ingest.sessions,
    subscriptions: fanout.subscriptionCount,
    'frames in flight': ingest.ledger.inFlight,
    'credit outstanding': ingest.credit.outstanding,
    'bytes of the pool': ingest.credit.books.memory.used,
    'bytes reserved': ingest.credit.memory.share,
    'channels of the allocator': ingest.credit.books.rows.inUse,
    'bytes queued': ingest.credit.books.pipes[0]?.queued ?? 0,
    'batches that wait': delivery.isIdle ? 0 : 1,
    'no room for a session': ingest.credit.memory.hasRoom ? 0 : 1,
  };
  return held;
}

/** Everybody has left: nothing of them is left behind. */
export const leaks: MakeChecker = (world, blame) => ({
  name: 'nothing leaks',
  kinds: ['end'],
  see(fact) {
    if (fact.kind !== 'end') return;
    for (const node of world.running) {
      for (const [what, count] of Object.entries(heldBy(node))) {
        if (count !== 0) blame(`${node.name}: ${count} ${what}`);
      }
      for (const { path } of world.devices) {
        const device = node.gateway.ingest.devices.find(path);
        const unsettled = device?.lanes.reduce((sum, lane) => sum + lane.unsettled, 0) ?? 0;
        if (unsettled !== 0 || (device?.session ?? 0) !== 0) {
          blame(`${node.name}: unsettled ${unsettled}, session ${device?.session}`, path);
        }
      }
    }
  },
});
