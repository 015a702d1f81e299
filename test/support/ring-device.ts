import { connectDevice } from '../../src/adapters/device/device-client.ts';
import { openRingFile } from '../../src/adapters/device/ring-file.ts';

/**
 * A device that counts until it is killed: `ring-device.ts URL RING FIRST`. A line on stdout for
 * every count that was written, once it is in the hands of the client; `safe` when all are.
 */
const [url = '', ring = '', first = '0'] = process.argv.slice(2);
const device = connectDevice({
  url,
  token: 'plant/counter',
  series: { count: {}, alarm: { lane: 'critical' } },
  store: openRingFile(ring),
  latencyMs: 10,
});
device.on((event) => {
  if (event.kind === 'stopped' || event.kind === 'dropped') process.stdout.write(`${event.kind}\n`);
  if (event.kind === 'live') process.stdout.write(`epoch ${event.epoch}\n`);
});
let count = Number(first);
const counting = setInterval(() => {
  for (let i = 0; i < 20; i += 1, count += 1) device.write({ count }, 1_700_000_000_000 + count);
  if (count % 100 === 0) device.write({ alarm: count });
  process.stdout.write(`${count}\n`);
}, 5);
process.on('SIGTERM', () => {
  clearInterval(counting);
  void device.flush().then(async () => {
    process.stdout.write('safe\n');
    await device.close();
  });
});
