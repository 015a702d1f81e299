import { between, nearlyNormal, type Random } from './random.ts';

/**
 * A shape over time: seconds since the device began, which never decrease, to about [−1, 1].
 * NaN where the sensor has no value.
 */
export type Shape = (seconds: number) => number;

const TURN = 2 * Math.PI;

/** A clean wave with a period of 10 to 40 s and a little noise. */
function sine(random: Random): Shape {
  const period = between(random, 10, 40);
  const phase = random() * TURN;
  return (s) => 0.9 * Math.sin((TURN * s) / period + phase) + 0.01 * nearlyNormal(random);
}

/** A random walk that is drawn back to the middle, so that it stays on the chart. */
function walk(random: Random): Shape {
  let at = between(random, -0.5, 0.5);
  let last = 0;
  return (s) => {
    const elapsed = Math.min(1, s - last);
    last = s;
    at += -0.05 * elapsed * at + 0.15 * Math.sqrt(elapsed) * nearlyNormal(random);
    at = Math.max(-1, Math.min(1, at));
    return at;
  };
}

/** On and off, with a period of 4 to 12 s. */
function square(random: Random): Shape {
  const period = between(random, 4, 12);
  const phase = random() * period;
  return (s) => ((s + phase) % period < period / 2 ? 0.8 : -0.8);
}

/** Quiet, and every few seconds a spike that dies away within half a second. */
function spikes(random: Random): Shape {
  let next = between(random, 1, 8);
  let last = Number.NEGATIVE_INFINITY;
  return (s) => {
    if (s >= next) {
      last = s;
      next = s + between(random, 2, 10);
    }
    return -0.6 + 1.6 * Math.exp((last - s) / 0.1) + 0.01 * nearlyNormal(random);
  };
}

/** A wave whose sensor fails for 1 to 4 s now and then. */
function dropouts(random: Random): Shape {
  const wave = sine(random);
  let fails = between(random, 3, 12);
  let recovers = fails + between(random, 1, 4);
  return (s) => {
    const value = wave(s);
    if (s >= recovers) {
      fails = s + between(random, 5, 15);
      recovers = fails + between(random, 1, 4);
    }
    return s >= fails ? Number.NaN : value;
  };
}

/**
 * One axis of a machine that shakes: its shaft, two harmonics and a bearing, louder and quieter.
 * Units: about ±1 at its loudest.
 */
export function shaking(random: Random): Shape {
  const shaft = between(random, 23, 27);
  const bearing = between(random, 110, 160);
  const swell = between(random, 15, 45);
  const phases = Array.from({ length: 4 }, () => random() * TURN) as [
    number,
    number,
    number,
    number,
  ];
  return (s) => {
    const turn = TURN * shaft * s;
    const loud = 0.6 + 0.4 * Math.sin((TURN * s) / swell + phases[3]);
    const wave =
      0.5 * Math.sin(turn + phases[0]) +
      0.25 * Math.sin(2 * turn + phases[1]) +
      0.15 * Math.sin(TURN * bearing * s + phases[2]);
    return loud * wave + 0.03 * nearlyNormal(random);
  };
}

/** The shapes by name, as `--signal` spells them. */
export const SHAPES = { sine, walk, square, spikes, dropouts } as const;
/** Name of a shape. */
export type ShapeName = keyof typeof SHAPES;

/** What `--signal` takes: a shape for every series, `mix` (one after the other), or `vibration`. */
export const SIGNAL_NAMES = [...(Object.keys(SHAPES) as ShapeName[]), 'vibration', 'mix'] as const;
/** Name of a signal. */
export type SignalName = (typeof SIGNAL_NAMES)[number];
