import { Counter, Gauge, type Registry } from 'prom-client';
import type { Ledger, Read } from './metrics.ts';

/** The gauges of credit, each with what it says. */
const CREDIT_GAUGES: readonly (readonly [string, string, (ledger: Ledger) => number])[] = [
  [
    'tidegate_credit_outstanding_bytes',
    'Bytes that devices may send now without asking: the sum of limit minus settled.',
    (ledger) => ledger.creditOutstandingBytes,
  ],
  [
    'tidegate_credit_drain_bytes_per_second',
    'What the log takes a second, as measured while it had something to take.',
    ({ credit }) => credit.drainBytesPerSecond,
  ],
  [
    'tidegate_credit_target_seconds',
    'The delay before the log that is kept when devices have more than it takes.',
    ({ credit }) => credit.targetS,
  ],
  ['tidegate_credit_delay_seconds', 'The delay before the log now.', ({ credit }) => credit.delayS],
  [
    'tidegate_credit_queued_bytes',
    'Bulk frames received and not settled.',
    ({ credit }) => credit.queuedBytes,
  ],
  [
    'tidegate_credit_coming_bytes',
    'Bulk granted less than a round trip ago and expected.',
    ({ credit }) => credit.comingBytes,
  ],
  [
    'tidegate_credit_in_play_max_bytes',
    'Most that may be queued and coming.',
    ({ credit }) => credit.inPlayMostBytes,
  ],
  [
    'tidegate_credit_pool_used_bytes',
    'Memory promised beyond what sessions own.',
    ({ credit }) => credit.poolUsedBytes,
  ],
  [
    'tidegate_credit_pool_size_bytes',
    'Memory that no session owns.',
    ({ credit }) => credit.poolSizeBytes,
  ],
  ['tidegate_rung', 'How bad it is: 0 calm, 4 the log is down.', ({ rung }) => rung],
];

/** Registers what credit is made of. */
export function registerCredit(registry: Registry, read: Read): void {
  for (const [name, help, pick] of CREDIT_GAUGES) {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(pick));
      },
    });
  }
  new Gauge({
    name: 'tidegate_credit_waiting_lanes',
    help: 'Lanes that wait for credit, by kind; quota: those whose quota is used up.',
    labelNames: ['lanes'],
    registers: [registry],
    collect() {
      const waiting = read(({ credit }) => credit.waiting);
      for (const [of, lanes] of Object.entries(waiting)) this.set({ lanes: of }, lanes);
    },
  });
  new Counter({
    name: 'tidegate_credit_granted_bytes_total',
    help: 'Credit given out, by kind of lane.',
    labelNames: ['lanes'],
    registers: [registry],
    collect() {
      this.reset();
      const granted = read(({ credit }) => credit.granted);
      for (const [of, bytes] of Object.entries(granted)) this.inc({ lanes: of }, bytes);
    },
  });
}
