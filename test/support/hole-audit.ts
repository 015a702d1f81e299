import { filtered, type LogLine } from './read-log.ts';
import type { Sample, SamplingDevice } from './sampling-device.ts';

/** The samples that a frame of a lane holds. */
export interface LaneFrame {
  readonly n: number;
  readonly lost: number;
  /** Units: µs. */
  readonly recv: number;
  /** Place in the list of lines. */
  readonly place: number;
  /** Indices, oldest first. */
  readonly samples: readonly number[];
}

/** The frames of one lane of a device as a reader gets them, with the samples that they hold. */
export function framesOf(
  lines: readonly LogLine[],
  device: SamplingDevice,
  lane: number,
): readonly LaneFrame[] {
  const topic = `${device.path}/temperature`;
  return filtered(lines).flatMap((line, place) => {
    if (line.device !== device.path || line.lane !== lane) return [];
    const { n, lost, recv, blocks } = line;
    const those = blocks.filter(({ cols }) => cols.some((column) => column.topic === topic));
    const samples = those.flatMap(({ t }) => t.map((time) => device.indexOf(time)));
    return [{ n, lost, recv, place, samples }];
  });
}

/** Every reading of a device that a reader gets out of these logs. */
export function readingsIn(lines: readonly LogLine[], device: SamplingDevice): readonly Sample[] {
  const ours = filtered(lines).filter((line) => line.device === device.path);
  return ours.flatMap(({ blocks }) =>
    blocks.flatMap(({ t, cols }) =>
      cols.flatMap(({ topic, v }) =>
        t.map((time, i) => ({ topic, t: time, v: v[i] as Sample['v'] })),
      ),
    ),
  );
}

/** What a log says of the samples of one device. Samples are named by their index. */
export interface HoleAudit {
  readonly logged: ReadonlySet<number>;
  readonly missing: ReadonlySet<number>;
  /** By lane 1 and 2: the numbers that the headers declare lost. */
  readonly lost: readonly [live: number, backfill: number];
}

/** Counts what of a device's samples is in a log, and what the log declares lost. */
export function auditHoles(lines: readonly LogLine[], device: SamplingDevice): HoleAudit {
  const lanes = [framesOf(lines, device, 1), framesOf(lines, device, 2)] as const;
  const logged = new Set(lanes.flat().flatMap(({ samples }) => samples));
  const all = Array.from({ length: device.samples }, (_, k) => k);
  const lostIn = (frames: readonly LaneFrame[]): number =>
    frames.reduce((sum, { lost }) => sum + lost, 0);
  return {
    logged,
    missing: new Set(all.filter((k) => !logged.has(k))),
    lost: [lostIn(lanes[0]), lostIn(lanes[1])],
  };
}

/**
 * For a device that makes a frame of every sample: which samples the numbers declared lost on lane 2
 * stood for. An outage goes there whole, so they end right before the sample of the next frame.
 */
export function declaredOn2(frames: readonly LaneFrame[]): ReadonlySet<number> {
  const declared = new Set<number>();
  for (const { n, lost, samples } of frames) {
    const [k] = samples;
    if (samples.length !== 1 || k === undefined) throw new Error(`frame ${n} is not one sample`);
    for (let i = 1; i <= lost; i += 1) declared.add(k - i);
  }
  return declared;
}

/** For any device: the samples between two frames of a lane where the later one declares a loss. */
export function withinHoles(frames: readonly LaneFrame[]): ReadonlySet<number> {
  const within = new Set<number>();
  let behind = 0;
  for (const { lost, samples } of frames) {
    const [first] = samples;
    if (first === undefined) continue;
    if (lost > 0) for (let k = behind; k < first; k += 1) within.add(k);
    behind = (samples.at(-1) as number) + 1;
  }
  return within;
}
