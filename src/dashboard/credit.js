/** What credit is made of, as an operator reads it. Pure. */

import { formatBytes, formatCount, formatMs, formatPart } from './format.js';

/**
 * @typedef {import('./figures.js').Stats} Stats
 * @typedef {import('./figures.js').Figure} Figure
 */

/** Part of the pool from which on windows shrink. Source: CREDIT §5.4. */
const PRESSED_PART = 0.5;
/** The delay, in targets, from which on the gateway is behind. Source: CREDIT §5.8. */
const LATE_TARGETS = 2;

/**
 * The figures of credit.
 * @param {readonly Stats[]} samples newest last
 * @returns {Figure[]}
 */
export function creditFiguresOf(samples) {
  const now = samples.at(-1);
  return [
    waitingOf(now),
    drainOf(now?.credit),
    delayOf(now?.credit),
    queueOf(now?.credit),
    poolOf(now?.credit),
    backfillOf(samples),
  ];
}

/** @typedef {Stats['credit'] | undefined} Credit */

/** Why lanes wait, in a word. */
const WAITS = /** @type {const} */ ({
  alarms: 'alarms',
  live: 'log',
  quota: 'quota',
  backfill: 'backfill',
});

/** @param {Stats | undefined} now @returns {Figure} */
function waitingOf(now) {
  const waiting = now?.credit.waiting ?? { alarms: Number.NaN, live: 0, quota: 0, backfill: 0 };
  const value = Object.values(waiting).reduce((sum, lanes) => sum + lanes, 0);
  const kinds = /** @type {(keyof typeof WAITS)[]} */ (Object.keys(WAITS));
  const reasons = kinds
    .filter((kind) => waiting[kind] > 0)
    .map((kind) => `${formatCount(waiting[kind])} ${WAITS[kind]}`);
  const isHeld = waiting.alarms + waiting.live + waiting.quota > 0;
  return {
    label: 'Waiting',
    value,
    text: formatCount(value),
    note: now ? reasons.join(' · ') || 'nobody' : '',
    look: isHeld ? 'hold' : 'calm',
    title:
      'Lanes of devices that could send more than they may just now, and what they wait for. ' +
      'A device has a lane each for alarms, live and stored readings.\n' +
      'log: live lanes, for their turn, as the log takes less than devices have\n' +
      'quota: lanes that used up the rate their device is allowed\n' +
      'backfill: stored readings, which go behind live ones\n' +
      'alarms: more alarms than half of what the log takes',
  };
}

/** @param {Credit} credit @returns {Figure} */
function drainOf(credit) {
  const value = credit?.drainBytesPerSecond ?? Number.NaN;
  return {
    label: 'Log takes',
    value,
    text: credit ? `${formatBytes(value)}/s` : formatBytes(value),
    note: credit ? 'when it is busy' : '',
    title:
      'What the log takes a second, measured while it has enough to take and kept while it has ' +
      'not; until it has had enough for once, a guess. All devices together are granted about ' +
      'as much.',
  };
}

/** @param {Credit} credit @returns {Figure} */
function delayOf(credit) {
  const value = (credit?.delayS ?? Number.NaN) * 1000;
  const target = (credit?.targetS ?? Number.NaN) * 1000;
  return {
    label: 'Delay',
    value,
    text: formatMs(value),
    note: credit ? `target ${formatMs(target)}` : '',
    line: target,
    top: target * LATE_TARGETS,
    look: value > target * LATE_TARGETS ? 'hold' : 'calm',
    title:
      'How long a frame that comes now waits for the log. When devices have more than the log ' +
      'takes, it is kept near the target (the dashed line) by granting less; above twice the ' +
      'target the gateway is behind.',
  };
}

/** @param {Credit} credit @returns {Figure} */
function queueOf(credit) {
  const { queuedBytes: value = Number.NaN, comingBytes = 0, inPlayMostBytes = 0 } = credit ?? {};
  return {
    label: 'Queue',
    value,
    text: formatBytes(value),
    note: credit ? `of ${formatBytes(inPlayMostBytes)}` : '',
    meter: { parts: [value / inPlayMostBytes, comingBytes / inPlayMostBytes] },
    title:
      'Readings received that the log does not have yet (the dark part), and the most that may ' +
      `be queued and on the way. On the way (the light part): ${formatBytes(comingBytes)}, ` +
      'granted less than a round trip ago. At the most, devices are granted credit in turns.',
  };
}

/** @param {Credit} credit @returns {Figure} */
function poolOf(credit) {
  const { poolUsedBytes = Number.NaN, poolSizeBytes = Number.NaN } = credit ?? {};
  const value = poolUsedBytes / poolSizeBytes;
  return {
    label: 'Pool',
    value,
    text: formatPart(value),
    note: credit ? `of ${formatBytes(poolSizeBytes)}` : '',
    meter: { parts: [value], mark: PRESSED_PART },
    look: value > PRESSED_PART ? 'hold' : 'calm',
    title:
      `Memory promised to devices beyond what each of them owns: ${formatBytes(poolUsedBytes)} ` +
      `of ${formatBytes(poolSizeBytes)}. From the mark on windows shrink to what is needed, so ` +
      'that devices with nothing to say do not hold what others could use.',
  };
}

/** Over all samples: in one second there may be no turn of backfill. @param {readonly Stats[]} samples @returns {Figure} */
function backfillOf(samples) {
  const [before, now] = [samples[0]?.credit.granted, samples.at(-1)?.credit.granted];
  /** @param {'alarms' | 'live' | 'backfill'} lanes */
  const granted = (lanes) => (now && before ? now[lanes] - before[lanes] : 0);
  const value = granted('backfill') / (granted('alarms') + granted('live') + granted('backfill'));
  return {
    label: 'Backfill',
    value,
    text: formatPart(value),
    note: now ? 'of credit given' : '',
    meter: { parts: [value] },
    title:
      'Part of the credit granted in the last ten seconds that went to stored readings, those ' +
      'that devices kept through an outage. They get what live ones leave, and about 2 % while ' +
      'live ones wait.',
  };
}
