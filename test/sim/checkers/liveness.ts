import type { MakeChecker } from '../checker.ts';

/** L1, L2: when the faults have stopped, everything retained becomes acked. */
export const liveness: MakeChecker = (world, blame) => ({
  name: 'L1 L2 everything comes home',
  kinds: ['calm'],
  see(fact) {
    if (fact.kind !== 'calm') return;
    for (const { path, program } of world.devices) {
      if (program.retained === 0) continue;
      blame(`${program.retained} frames are still not acked long after the last fault`, path);
    }
  },
});
