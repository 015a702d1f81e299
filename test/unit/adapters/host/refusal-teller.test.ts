import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RefusalTeller } from '../../../../src/adapters/host/refusal-teller.ts';

let said: string[];
let frames: Map<number, number>;
let connections: Map<number, number>;
let teller: RefusalTeller;

const heard = (): string[] => said.splice(0);

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  frames = new Map();
  connections = new Map();
  const say = (level: string) => (fields: object, msg?: string) =>
    said.push(`${level} ${JSON.stringify(fields)} ${msg?.split(': ')[1]}`);
  const logger = { info: say('info'), warn: say('warn') };
  teller = new RefusalTeller(
    logger as unknown as ConstructorParameters<typeof RefusalTeller>[0],
    () => ({
      frames,
      connections,
    }),
  );
  teller.start();
});

afterEach(() => {
  teller.stop();
  vi.useRealTimers();
});

it('tells within a second what is refused, once for each reason, with a count', () => {
  frames.set(4021, 70);
  connections.set(4003, 2);
  connections.set(4104, 1);
  vi.advanceTimersByTime(1000);
  expect(heard()).toEqual([
    'warn {"code":4021,"frames":70} rows, kinds, lengths or times do not fit',
    'warn {"code":4003,"connections":2} missing or bad credential',
    'info {"code":4104,"connections":1} a newer connection of this device took over',
  ]);
});

it('tells a reason again after a minute and not before, with what came meanwhile', () => {
  frames.set(4021, 1);
  vi.advanceTimersByTime(1000);
  heard();
  for (let second = 0; second < 59; second += 1) {
    frames.set(4021, (frames.get(4021) ?? 0) + 1000);
    vi.advanceTimersByTime(1000);
  }
  expect(heard()).toEqual([]);
  vi.advanceTimersByTime(1000);
  expect(heard()).toEqual([expect.stringContaining('"frames":59000')]);
  vi.advanceTimersByTime(3_600_000);
  expect(heard()).toEqual([]);
});

it('is silent about goodbyes and moves', () => {
  for (const code of [1000, 1012, 4200, 4201, 4202, 4203]) connections.set(code, 5);
  vi.advanceTimersByTime(120_000);
  expect(heard()).toEqual([]);
});

it('tells at the end what was not told yet', () => {
  frames.set(4020, 1);
  vi.advanceTimersByTime(1000);
  frames.set(4020, 5);
  vi.advanceTimersByTime(1000);
  heard();
  teller.stop();
  expect(heard()).toEqual([expect.stringContaining('"frames":4')]);
});

it('a refusal without a code of the protocol is told by its HTTP status', () => {
  connections.set(404, 1);
  vi.advanceTimersByTime(1000);
  expect(heard()).toEqual(['warn {"code":404,"connections":1} HTTP 404']);
});
