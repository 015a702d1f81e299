import { CreditDevice, type LaneShape } from './credit-device.ts';
import { templateOf } from './frame.ts';

/**
 * Devices that all want in at once, and do not try again. Arguments: the URL, how many. Prints one
 * line of JSON: `{"live", "refused", "withoutRetryAfter", "others"}`.
 */
const [url = '', count = '0'] = process.argv.slice(2);
const template = templateOf({ lane: 1, set: 1, columns: [Int16Array.of(1)] });
const SHAPE: LaneShape = { lane: 1, set: 1, cols: [['a']], template };
const seen = { live: 0, refused: 0, withoutRetryAfter: 0, others: 0 };
let decided = 0;
let isOver = false;

const listener = {
  onWelcome: () => {
    seen.live += 1;
    decide();
  },
  onFlow: () => undefined,
  onAcked: () => undefined,
  onEnd: (_device: CreditDevice, code: number, retryAfter: string | undefined) => {
    if (isOver) return;
    // 4100 is said with `w` behind the upgrade: a `hello` without lane 0 in a full node.
    if (code === 503 || code === 429) {
      seen.refused += 1;
      if (retryAfter === undefined) seen.withoutRetryAfter += 1;
    } else if (code === 4100) seen.refused += 1;
    else seen.others += 1;
    decide();
  },
};
const devices = Array.from(
  { length: Number(count) },
  (_, i) => new CreditDevice(`crowd/${i}`, url, [SHAPE], listener),
);
for (const device of devices) device.connect();

function decide(): void {
  decided += 1;
  if (decided < devices.length) return;
  isOver = true;
  process.stdout.write(`${JSON.stringify(seen)}\n`);
  setTimeout(() => process.exit(0), 100);
}
