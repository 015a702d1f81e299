import { createInterface } from 'node:readline';
import { StallWatch } from './stalls.ts';

/** A process that does nothing but watch its own event loop: what it stalls at is the machine's. */
const watch = new StallWatch();
const lines = createInterface(process.stdin);
lines.on('line', () => process.stdout.write(`${JSON.stringify(watch.report())}\n`));
lines.on('close', () => process.exit(0));
process.stdout.write('ready\n');
