import type { Filled } from './filling-load.ts';
import { Peer } from './peers.ts';
import type { Line } from './verdict.ts';
import { WatchedGateway } from './watched.ts';

const MIB = 1024 * 1024;
/** What RSS may grow by, as a multiple of the budget. */
const GROWTH_MOST = 1.5;

/**
 * A budget full of the smallest frames: as many devices as the node lets in send all they may while
 * the disk stands still. What is held then is what credit was given for. Judged is the growth from the
 * same devices in light traffic, a frame of each lane per second: what a process takes for its first
 * traffic (its heap, the windows of each series) is not what the budget is for, and is shown beside it.
 */
export async function fillBudget(isQuick: boolean): Promise<Line[]> {
  const budgetMib = isQuick ? 4 : 64;
  const disk = { baseMs: 1, bytesPerSecond: 50_000_000 };
  const gateway = await WatchedGateway.start(disk, '--budget', `${budgetMib}MiB`);
  const atStart = gateway.rss;
  const load = new Peer('bench/filling-load.ts', gateway.ws);
  const devices = Number(await load.line());
  const connected = gateway.rss;
  const ask = async (order: string): Promise<Filled> => {
    load.child.stdin.write(`${order}\n`);
    return JSON.parse(await load.line());
  };
  await ask('light');
  const before = gateway.rss;
  const memoryBefore = (await gateway.vitals()).memory;
  gateway.disk('hold');
  const filled = await ask('fill');
  const full = gateway.rss;
  const { heapUsed, arrayBuffers } = (await gateway.vitals()).memory;
  gateway.disk('release');
  const end = await ask('end');
  await gateway.end();
  const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;
  const growth = (full - before) / (budgetMib * MIB);
  return [
    {
      what: 'held, as cost',
      figure: `${mib(filled.cost)} in ${filled.frames} frames`,
      bound: `budget ${budgetMib} MiB, ${devices} devices`,
      isMet: null,
    },
    {
      what: 'RSS: start, connected, light traffic, full',
      figure: [atStart, connected, before, full].map(mib).join(', '),
      bound: '',
      isMet: null,
    },
    {
      what: 'growth of heap, of array buffers',
      figure: [heapUsed - memoryBefore.heapUsed, arrayBuffers - memoryBefore.arrayBuffers]
        .map(mib)
        .join(', '),
      bound: '',
      isMet: null,
    },
    {
      what: 'RSS − RSS before, ÷ budget',
      figure: growth.toFixed(2),
      bound: `≤ ${GROWTH_MOST}`,
      isMet: growth <= GROWTH_MOST,
    },
    {
      what: 'disconnects; lost',
      figure: `${end.disconnects}; ${end.frames}`,
      bound: '0; 0',
      isMet: end.disconnects === 0 && end.frames === 0,
    },
  ];
}
