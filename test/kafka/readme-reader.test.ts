import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { codeIn, ROOT } from '../support/doc-code.ts';
import { appendToKafka } from '../support/kafka/append.ts';
import { describeKafka, kafkaBrokers, topicPrefix } from '../support/kafka/cluster.ts';
import { SHARDS, T, TAIL_LOG } from '../support/tail-fixture.ts';

/** What the log of the fixture comes to: a void and a duplicate frame are left out. */
const EXPECTED = [
  `${T} plant/pump/acc/x 2.5 m/s2`,
  `${T} plant/pump/acc/count 9007199254740993n `,
  `${T + 10} plant/pump/acc/x 0.5 m/s2`,
  `${T + 10} plant/pump/acc/count 5 `,
  `${T} plant/pump/state up `,
  `${T + 1} plant/pump/state null `,
  `${T + 1} plant/pump/state say "hi" `,
  `${T} plant/pump/acc/x null m/s2`,
  ...[2, 9].flatMap((n) => [
    `${T + n} plant/pump/acc/x ${n * 0.5 + 1} m/s2`,
    `${T + n} plant/pump/acc/count ${n} `,
  ]),
  `${T} hall/temp 21.5 Cel`,
  `${T + 1} plant/pump/acc/x 1.5 m/s2`,
  `${T + 1} plant/pump/acc/count 1 `,
  '1761962400000000 final plant/pump',
];

describeKafka('the reader in the README', () => {
  it('prints every reading and result, once', async () => {
    const prefix = topicPrefix('readme');
    await appendToKafka(prefix, SHARDS, TAIL_LOG);
    const env = { KAFKA_BROKERS: kafkaBrokers().join(','), TIDEGATE_KAFKA_PREFIX: prefix };
    const child = spawn(
      process.execPath,
      ['--disable-warning=TimeoutNegativeWarning', '--input-type=module', '-'],
      {
        cwd: ROOT,
        env: { ...process.env, KAFKAJS_NO_PARTITIONER_WARNING: '1', ...env },
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    // What the installed package has by this name; test/integration/package.test.ts looks at that.
    const code = codeIn('README.md', 'js', 'TidegateReader');
    expect(code).toContain(`from 'tidegate/consumer'`);
    child.stdin.end(code.replace('tidegate/consumer', './src/consumer/public.ts'));
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      // kafkajs tells in JSON what it does.
      if (!line.startsWith('{')) lines.push(line);
      if (lines.length === EXPECTED.length) break;
    }
    child.kill();
    await once(child, 'close');
    expect(lines.toSorted()).toEqual(EXPECTED.toSorted());
  });
});
