import { expect, test } from 'vitest';
import type { FleetView } from '../../../simulators/fleet-view.ts';
import { summary } from '../../../simulators/report.ts';
import { StatusDisplay } from '../../../simulators/status-display.ts';
import { Tally } from '../../../simulators/tally.ts';
import { WHY, type Why } from '../../../src/model/why.ts';

function viewAfter(...told: Why[]): FleetView {
  const tally = new Tally();
  for (const why of told) tally.note({ kind: 'terms', dur: 1, why, lingerMs: undefined }, 0);
  const none = { stopped: 0, done: 0, inFlight: 0, unacked: 0, backlog: 0, credit: 0, skipped: 0 };
  return { ...none, devices: 1, live: 1, blockedMs: 988_000, tally };
}

const blockedIn = (text: string): string => /blocked .*/.exec(text)?.[0] ?? '';

function line(view: FleetView): string {
  let said = '';
  const out = { write: (text: string) => (said += text) };
  const progress = { url: 'ws://x', elapsedMs: 0, state: 'running' as const };
  new StatusDisplay(out as unknown as NodeJS.WriteStream, 0).show(view, progress, 0);
  return said;
}

test('the last reason that was told stands behind the time without credit', () => {
  const view = viewAfter(WHY.logSlow, WHY.logDown, WHY.none);
  expect(blockedIn(summary(view, 0))).toBe(
    'blocked      988 s without credit, summed over the devices; last told why: the log is down',
  );
  expect(blockedIn(line(view))).toBe('blocked 988 s; last told why: the log is down');
});

test('without a reason there is only the time', () => {
  expect(blockedIn(summary(viewAfter(), 0))).toMatch(/summed over the devices$/);
  expect(blockedIn(line(viewAfter()))).toBe('blocked 988 s');
});

test('every reason of the protocol has a word of its own', () => {
  const words = Object.values(WHY).map((why) => blockedIn(line(viewAfter(why))));
  expect(new Set(words).size).toBe(words.length);
  expect(words.join()).not.toContain('reason');
});
