import { describe, expect, test } from 'vitest';
import { Histogram } from '../../../../src/adapters/host/histogram.ts';
import { createMetrics, type Ledger } from '../../../../src/adapters/host/metrics.ts';
import { createStats } from '../../../../src/adapters/host/stats.ts';

const ms = (...values: number[]) => {
  const histogram = new Histogram([1, 10, 100]);
  for (const value of values) histogram.observe(value);
  return histogram;
};

const ledger = (received: number): Ledger => ({
  frames: {
    received,
    settled: { durable: 5, duplicate: 4, rejected: 3, dropped: 2 },
    closed: new Map([
      [4000, 2],
      [4006, 1],
    ]),
    rejected: new Map([[4021, 3]]),
    lost: { critical: 1, live: 20, backfill: 300 },
    inFlight: 7,
    bytes: 644,
  },
  readingsDurable: 50,
  readings: { aggregated: 10, late: 9, future: 8, excluded: 6, refused: 1 },
  tokens: { verified: 6, known: 40, refused: new Map([[4003, 9]]) },
  sessions: 12,
  sessionsBroken: 1,
  creditOutstandingBytes: 16_512,
  credit: {
    drainBytesPerSecond: 7e6,
    targetS: 0.15,
    delayS: 0.2,
    queuedBytes: 1,
    comingBytes: 2,
    inPlayMostBytes: 3,
    poolUsedBytes: 4,
    poolSizeBytes: 5,
    waiting: { alarms: 0, live: 9, backfill: 1, quota: 2 },
    granted: { alarms: 4096, live: 16_512, backfill: 330 },
  },
  rung: 1,
  subscriptions: 2,
  appendMs: ms(1, 1.5, 500),
  ackMs: ms(),
  batchBytes: ms(),
});

describe('the ledger in Prometheus form', () => {
  test.each([
    'tidegate_ingest_frames_received_total 24',
    'tidegate_ingest_frames_settled_total{outcome="durable"} 5',
    'tidegate_ingest_frames_settled_total{outcome="duplicate"} 4',
    'tidegate_ingest_frames_settled_total{outcome="rejected"} 3',
    'tidegate_ingest_frames_settled_total{outcome="dropped"} 2',
    'tidegate_ingest_frames_closed_total{code="4000"} 2',
    'tidegate_ingest_frames_closed_total{code="4006"} 1',
    'tidegate_ingest_frames_rejected_total{code="4021"} 3',
    'tidegate_ingest_frames_lost_total{lane="critical"} 1',
    'tidegate_ingest_frames_lost_total{lane="live"} 20',
    'tidegate_ingest_frames_lost_total{lane="backfill"} 300',
    'tidegate_ingest_frames_in_flight 7',
    'tidegate_sessions_broken_total 1',
    'tidegate_aggregation_readings_total{outcome="aggregated"} 10',
    'tidegate_aggregation_readings_total{outcome="late"} 9',
    'tidegate_aggregation_readings_total{outcome="future"} 8',
    'tidegate_aggregation_readings_total{outcome="excluded"} 6',
    'tidegate_aggregation_readings_total{outcome="refused"} 1',
    'tidegate_sessions 12',
    'tidegate_credit_outstanding_bytes 16512',
    'tidegate_credit_drain_bytes_per_second 7000000',
    'tidegate_credit_delay_seconds 0.2',
    'tidegate_credit_pool_used_bytes 4',
    'tidegate_credit_waiting_lanes{lanes="live"} 9',
    'tidegate_credit_waiting_lanes{lanes="quota"} 2',
    'tidegate_credit_granted_bytes_total{lanes="backfill"} 330',
    'tidegate_rung 1',
    'tidegate_delivery_readings_durable_total 50',
    'tidegate_delivery_append_duration_seconds_bucket{le="0.001"} 1',
    'tidegate_delivery_append_duration_seconds_bucket{le="0.01"} 2',
    'tidegate_delivery_append_duration_seconds_bucket{le="0.1"} 2',
    'tidegate_delivery_append_duration_seconds_bucket{le="+Inf"} 3',
    'tidegate_delivery_append_duration_seconds_count 3',
    'tidegate_delivery_append_duration_seconds_sum 0.5025',
    'tidegate_ingest_ack_duration_seconds_count 0',
    'tidegate_auth_tokens_accepted_total{outcome="verified"} 6',
    'tidegate_auth_tokens_accepted_total{outcome="known"} 40',
    'tidegate_auth_tokens_refused_total{code="4003"} 9',
  ])('has %s', async (line) => {
    const text = await createMetrics(() => ledger(24)).text();
    expect(text.split('\n')).toContain(line);
  });

  test('takes one picture per scrape and does not add them up', async () => {
    let pictures = 0;
    const metrics = createMetrics(() => {
      pictures += 1;
      return ledger(100 + pictures);
    });
    pictures = 0;
    await metrics.text();
    expect(await metrics.text()).toContain('tidegate_ingest_frames_received_total 102\n');
    expect(pictures).toBe(2);
  });

  test('explains every metric and has no label per device', async () => {
    const text = await createMetrics(() => ledger(1)).text();
    const named = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    const helped = [...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(10);
    expect(helped).toEqual(named);
    const labels = new Set([...text.matchAll(/^tidegate\S*?\{(\w+)=/gm)].map(([, label]) => label));
    expect([...labels].sort()).toEqual(['code', 'lane', 'lanes', 'le', 'outcome']);
  });
});

test('a histogram counts a value in the first bucket whose bound holds it', () => {
  const histogram = ms(0, 1, 1.01, 10, 100, 100.5);
  histogram.observe(2, 5);
  expect([...histogram.counts]).toEqual([2, 7, 1, 1]);
  expect(histogram.sum).toBeCloseTo(222.51);
});

test('the figures of the page are plain JSON', () => {
  const stats = createStats({
    snapshot: () => ledger(24),
    ready: () => ({ ready: true, log: { kind: 'file', state: 'ok' }, rung: 1, reasons: ['why'] }),
    node: 'gw-7',
    version: '0.1.0',
    dur: () => 1,
    monoMs: () => 1234,
  });
  expect(JSON.parse(JSON.stringify(stats()))).toMatchObject({
    node: 'gw-7',
    atMs: 1234,
    rung: 1,
    reasons: ['why'],
    frames: { received: 24, closed: 3, inFlight: 7 },
    sessions: 12,
    credit: { waiting: { live: 9 }, granted: { live: 16_512, backfill: 330 } },
    appendMs: { bounds: [1, 10, 100], counts: [1, 1, 0, 1] },
  });
});
