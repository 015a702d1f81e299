import { LANE } from '../model/reading.ts';
import { WHY, type Why } from '../model/why.ts';
import { type Budget, growthOf, laneWindow } from './budget.ts';
import type { Channel } from './channel.ts';
import type { IngestPort } from './port.ts';
import type { Session } from './session.ts';

/** Lane 2 waits only once it has told a backlog: thousands of idle ones are the rule. [R7-12] */
const isWaiting = (channel: Channel | undefined): channel is Channel =>
  channel?.isHeld === true && (channel.lane !== LANE.backfill || channel.backlog > 0);

/**
 * Gives the lanes of a session that were welcomed without credit their windows, as far as there is
 * room for them; true if it gave one.
 */
export function openHeldLanes(session: Session, budget: Budget): boolean {
  let isOpened = false;
  for (const channel of session.channels) {
    if (!isWaiting(channel)) continue;
    const bytes = laneWindow(channel.lane) * growthOf(session.codec);
    if (!budget.fits(bytes)) continue;
    budget.promise(bytes);
    session.promised += bytes;
    coverPipeline(session, channel.lane, budget);
    channel.open();
    isOpened = true;
  }
  return isOpened;
}

/** What earlier connections left in the pipeline counts against the window from now on. */
function coverPipeline({ device }: Session, lane: number, budget: Budget): void {
  if (device) budget.orphan(-(device.lanes[lane]?.unsettled ?? 0) * device.growth);
}

/** Why limits of this session do not advance; of lane 2 only after its first grant. [R3.4-4] */
export function whyOf(session: Session, port: IngestPort): Why {
  const why = port.why();
  if (why !== WHY.none) return why;
  return session.channels[LANE.live]?.isHeld === true ? WHY.memory : WHY.none;
}
