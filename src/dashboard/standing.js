/** How the gateway stands with what devices may send, as a name and a sentence. Pure. */

import { quantileOf } from './figures.js';

/**
 * @typedef {import('./figures.js').Stats} Stats
 * @typedef {import('./figures.js').Look} Look
 * @typedef {{ name: string, why: string, look: Look, rung: number }} Pressure
 */

/** So many of the newest samples are looked at, and in so many of them somebody has to wait. */
const HELD_SAMPLES = { of: 5, least: 2 };
/** Half of the acks may take twice the target, and this. Source: CREDIT §8. Units: ms. */
const ACK_SLACK_MS = 100;
/** In so many nothing was finished although something waits: an append may well take a second. */
const STALLED_SAMPLES = 6;
const RUNG = { calm: 0, late: 1, memory: 2, full: 3, logDown: 4 };

/** What each step of the ladder means, for who points at it. Source: DESIGN §9. */
export const LADDER = [
  '0: the log keeps up, or devices are held back so far that the delay stays at its target',
  '1: what waits for the log waits twice as long as it should: devices are asked for larger batches, dashboards get fewer updates',
  '2: half of the memory pool is promised: windows shrink to what is needed, backfill comes last',
  '3: as many devices as fit are here: further ones are asked to come back later',
  '4: the log takes nothing: devices keep what they have, and alarms get through within their reserve',
];

/**
 * How things stand with what devices may send. One sample in which somebody waits is a moment
 * between two appends; two of five are devices that are held back.
 * @param {readonly Stats[]} samples newest last
 * @returns {Pressure}
 */
export function pressureOf(samples) {
  const now = samples.at(-1);
  if (!now) return { ...SILENT, rung: Number.NaN };
  return {
    rung: now.rung,
    ...(faultOf(now) ?? stallOf(samples) ?? loadOf(now) ?? slowOf(samples) ?? waitOf(samples)),
  };
}

/** @typedef {Omit<Pressure, 'rung'>} Standing */

/** @type {Standing} */
const SILENT = {
  name: 'No figures',
  why: 'The gateway gives none; it is asked every second.',
  look: 'bad',
};

/** What the node itself says is wrong. @param {Stats} now @returns {Standing | null} */
function faultOf({ rung, reasons }) {
  const [reason] = reasons;
  if (rung === RUNG.logDown) {
    const why = reason ?? 'the log takes nothing';
    return { name: 'Log down', why: `Devices keep what they have: ${why}.`, look: 'bad' };
  }
  return reason === undefined ? null : { name: 'Not ready', why: `${reason}.`, look: 'bad' };
}

/** A log that does not answer is on no rung: it has not refused anything. @param {readonly Stats[]} samples @returns {Standing | null} */
function stallOf(samples) {
  const near = samples.slice(-STALLED_SAMPLES);
  /** @param {Stats} stats */
  const finished = ({ frames }) => Object.values(frames.settled).reduce((sum, n) => sum + n, 0);
  const isStalled =
    near.length === STALLED_SAMPLES &&
    near.every(
      (stats) => stats.frames.inFlight > 0 && finished(stats) === finished(near[0] ?? stats),
    );
  if (!isStalled) return null;
  const why = 'Frames wait for the log, and for seconds it has finished nothing.';
  return { name: 'Log stalled', why, look: 'bad' };
}

/** What the ladder says. @param {Stats} now @returns {Standing | null} */
function loadOf({ rung }) {
  if (rung === RUNG.full) {
    const why = 'No room for more devices: they are asked to come back later. Those here go on.';
    return { name: 'Full', why, look: 'bad' };
  }
  if (rung === RUNG.memory) {
    const why = 'Much of the memory pool is promised: devices get small windows, backfill last.';
    return { name: 'Short of memory', why, look: 'hold' };
  }
  if (rung === RUNG.late) {
    const why = 'The log is behind: devices send larger batches, dashboards get fewer updates.';
    return { name: 'Behind', why, look: 'hold' };
  }
  return null;
}

/**
 * Where few devices fill their windows nobody stands in a queue, however slow the log is: they wait
 * for what is in flight.
 * @param {readonly Stats[]} samples
 * @returns {Standing | null}
 */
function slowOf(samples) {
  const ackMs = quantileOf(samples, (stats) => stats.ackMs, 0.5);
  const mostMs = 2000 * (samples.at(-1)?.credit.targetS ?? 0) + ACK_SLACK_MS;
  if (!(ackMs > mostMs)) return null;
  const why = 'Acks take longer than they should: devices wait until the log has what they sent.';
  return { name: 'Log slow', why, look: 'hold' };
}

/**
 * What is said while somebody waits, the gravest first.
 * @type {readonly { lanes: keyof Stats['credit']['waiting'], standing: Standing }[]}
 */
const WAITS = [
  {
    lanes: 'alarms',
    standing: {
      name: 'Alarms wait',
      why: 'More alarms come than half of what the log takes: they get credit in turns.',
      look: 'bad',
    },
  },
  {
    lanes: 'live',
    standing: {
      name: 'Holding back',
      why: 'Devices have more than the log takes: they get credit in turns, nothing is lost.',
      look: 'hold',
    },
  },
  {
    lanes: 'quota',
    standing: {
      name: 'Holding back',
      why: 'Devices that have used up their quota wait until it is renewed; others go on.',
      look: 'hold',
    },
  },
  {
    lanes: 'backfill',
    standing: {
      name: 'Catching up',
      why: 'Stored readings come in as far as live ones leave room.',
      look: 'watch',
    },
  },
];

/** @type {Standing} */
const CALM = { name: 'Calm', why: 'Every device may send what it has.', look: 'calm' };

/** @param {readonly Stats[]} samples @returns {Standing} */
function waitOf(samples) {
  const near = samples.slice(-HELD_SAMPLES.of);
  /** @param {keyof Stats['credit']['waiting']} lanes */
  const isHeld = (lanes) =>
    near.filter(({ credit }) => credit.waiting[lanes] > 0).length >= HELD_SAMPLES.least;
  return WAITS.find(({ lanes }) => isHeld(lanes))?.standing ?? CALM;
}
