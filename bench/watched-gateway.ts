import { createInterface } from 'node:readline';
import { serve } from '../src/cli/serve.ts';
import { type DiskSpeed, SlowDisk } from './slow-disk.ts';
import { StallWatch } from './stalls.ts';

/**
 * A real gateway on a slow disk that tells how it is. Arguments: JSON `DiskSpeed`, then the flags of
 * `serve`. A line on stdin: `?` is answered with a line of JSON (`GatewayVitals`); `hold` and `release`
 * stop the disk and let it go on.
 */
const [speed = '{}', ...flags] = process.argv.slice(2);
const disk = new SlowDisk(JSON.parse(speed) as DiskSpeed);
const watch = new StallWatch();

createInterface(process.stdin).on('line', (line) => {
  if (line === 'hold') disk.hold();
  else if (line === 'release') disk.release();
  else process.stdout.write(`${JSON.stringify({ ...watch.report(), disk: disk.report() })}\n`);
});
process.exit(await serve(flags, disk.files));
