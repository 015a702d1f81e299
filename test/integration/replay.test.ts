import { describe, test } from 'vitest';
import { startGateway } from '../support/gateway-process.ts';
import { filtered, type LogLine, rowsOf, tailed } from '../support/read-log.ts';
import {
  everythingFinal,
  expectBruteForce,
  expectRecordedRows,
  replay,
  type ShardResult,
} from '../support/replay.ts';

/** Fast enough for a test: the longer recording takes 3.3 s. The issue's own speed is 500 000. */
const SPEEDUP = Number(process.env['REPLAY_SPEEDUP'] ?? 8_000_000);

describe.each(['cbor', 'json'])('both recordings at once, replayed in %s', (codec) => {
  test('stand in the log bit for bit, and every window result equals a brute force', async () => {
    const gateway = await startGateway();
    await replay(gateway, codec, SPEEDUP);
    await everythingFinal(gateway.log);
    const lines = await tailed<LogLine>(gateway.log, 'readings', '--all');
    const results = await tailed<ShardResult>(gateway.log, 'aggregates', '--all');
    await gateway.stop();
    const rows = filtered(lines);
    expectRecordedRows((name) => rowsOf(rows, `${name}/value`), SPEEDUP);
    expectBruteForce(lines, results);
  });
});
