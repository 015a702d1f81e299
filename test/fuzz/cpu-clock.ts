/**
 * How long an input takes is asked of the CPU time of the thread that runs it: neighbours on the
 * machine, and the threads that help the garbage collector, do not count.
 */

const US_PER_MS = 1000;
/** A step this large would hide half of what is looked for. Units: ms. */
const STEP_MS_MAX = 0.5;
const STEPS_ASKED = 20;

/** CPU time of this thread. Units: ms. */
function threadMs(): number {
  // Linux writes a thread's time down every 4 ms only. Asked for the time of the whole process it
  // brings that of the asking thread up to date, which makes the next line exact to a microsecond.
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / US_PER_MS;
}

/** The step (the median of a few) in which a clock moves while it is looked at. Units: ms. */
function stepOf(clock: () => number): number {
  const steps: number[] = [];
  for (let last = clock(); steps.length < STEPS_ASKED; ) {
    const now = clock();
    if (now !== last) steps.push(now - last);
    last = now;
  }
  return steps.sort((a, b) => a - b)[STEPS_ASKED >> 1] as number;
}

const stepMs = stepOf(threadMs);

/** True if this system counts a thread's CPU time finely enough; else it is the time of the wall. */
export const isCpuTime = stepMs <= STEP_MS_MAX;

/** The clock of everything that is timed here. Units: ms. */
export const clockMs: () => number = isCpuTime ? threadMs : () => performance.now();

/** Which clock it is, in words. */
export const clockName = isCpuTime
  ? 'CPU time of the thread'
  : `time of the wall, for CPU time comes in steps of ${stepMs.toFixed(1)} ms`;
