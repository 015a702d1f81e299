import type { MakeChecker } from '../checker.ts';
import { ackIsCovered } from './ack-is-covered.ts';
import { ackedIsDurable } from './acked-is-durable.ts';
import { blockedIsNotIdle } from './blocked-is-not-idle.ts';
import { conservation } from './conservation.ts';
import { contentIsImmutable } from './content-is-immutable.ts';
import { dashboards } from './dashboards.ts';
import { epochs } from './epochs.ts';
import { filterKeepsAcked } from './filter-keeps-acked.ts';
import { leaks } from './leaks.ts';
import { liveness } from './liveness.ts';
import { lossesAreRecorded } from './losses-are-recorded.ts';
import { manners } from './manners.ts';
import { memoryIsReplay } from './memory-is-replay.ts';
import { neverBack } from './never-back.ts';
import { notStuck } from './not-stuck.ts';
import { numbersIncrease } from './numbers-increase.ts';
import { oneConnection } from './one-connection.ts';
import { poisonOnce } from './poison-once.ts';
import { rejects } from './rejects.ts';
import { replayIsLive } from './replay-is-live.ts';
import { senderCredit } from './sender-credit.ts';
import { sizes } from './sizes.ts';
import { unsettledBound } from './unsettled-bound.ts';

/** Every rule that a world is judged by. */
export const CHECKERS: readonly MakeChecker[] = [
  ackedIsDurable,
  ackIsCovered,
  lossesAreRecorded,
  numbersIncrease,
  filterKeepsAcked,
  contentIsImmutable,
  epochs,
  oneConnection,
  memoryIsReplay,
  senderCredit,
  neverBack,
  unsettledBound,
  notStuck,
  blockedIsNotIdle,
  conservation,
  sizes,
  manners,
  rejects,
  poisonOnce,
  liveness,
  replayIsLive,
  dashboards,
  leaks,
];
