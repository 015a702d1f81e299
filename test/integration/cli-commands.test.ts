import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, startCli } from '../support/run-cli.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('help', () => {
  it.each([[['--help']], [['-h']], [[]]])('tidegate %j lists the commands', async (argv) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of [
      'serve',
      'simulate',
      'demo',
      'tail',
      'log',
      'config',
      'token',
      'version',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${command} +\\S`, 'm'));
    }
  });

  it.each<[string, string[]]>([
    ['serve', ['--listen', '--budget', 'TIDEGATE_SHARDS', 'ingest.budget', 'Exit codes']],
    [
      'simulate',
      ['--url', '--devices', '--replay', '--journal', 'up to 30 s', 'refuses is settled'],
    ],
    ['tail', ['--topic', '--series', '--follow', '--all', '--json', '--data']],
    ['config', ['--listen', '--json', 'KAFKA_BROKERS']],
    ['demo', ['--devices', '--listen']],
    ['token', ['--device', '--name', '--read', '--metrics', '--expires', '--config', 'Bearer']],
  ])('tidegate %s --help tells a newcomer what there is', async (command, words) => {
    const { code, stdout, stderr } = await runCli([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: tidegate ${command}`));
    for (const word of words) expect(stdout).toContain(word);
  });

  it('does not mind a reader that goes away', async () => {
    const child = startCli(['serve', '--help']);
    child.process.stdout?.destroy();
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

it('tidegate version tells the version of the package', async () => {
  const { code, stdout } = await runCli(['version']);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^tidegate \d+\.\d+\.\d+ \(node 2[4-9]\.\S+\)\n$/) as string,
  });
});

it('an older Node is told in a sentence, before anything else', async () => {
  const pretend = "Object.defineProperty(process,'versions',{value:{node:'22.18.0'}})";
  const env = { NODE_OPTIONS: `--import "data:text/javascript,${pretend}"` };
  expect(await runCli(['--help'], { env })).toEqual({
    code: 78,
    stdout: '',
    stderr: 'tidegate needs Node 24 or later, this is Node 22.18.0.\n',
  });
});

describe('faults end with 78 and a sentence for each', () => {
  it('an unknown command, with what was meant', async () => {
    const { code, stdout, stderr } = await runCli(['sevre']);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toContain('there is no command "sevre", did you mean serve?');
  });

  it.each(['serve', 'simulate', 'tail', 'config', 'demo', 'token'])(
    'an unknown option of %s',
    async (command) => {
      const { code, stdout, stderr } = await runCli([command, '--no-such-option', '7']);
      expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
      expect(stderr).toContain('--no-such-option: unknown option');
      expect(stderr).toContain(`tidegate ${command} --help`);
      expect(stderr).not.toContain('    at ');
    },
  );

  it.each(['serve', 'config', 'demo'])('%s reports all bad values at once', async (command) => {
    const file = join(folder, 'bad.yaml');
    await writeFile(file, 'shard: 3\nlogLevel: loud\n');
    const argv = [command, '--listen', 'here', '--log', 'file', '--lsten', 'x', '--config', file];
    const env = { TIDEGATE_BUDGET: 'much', TIDEGATE_LOGS: 'file' };
    const { code, stdout, stderr } = await runCli(argv, { env });
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr.split('\n').slice(0, -1)).toEqual([
      `tidegate ${command}: 6 faults on the command line or in the configuration`,
      expect.stringContaining('  --lsten: unknown option, did you mean --listen?'),
      expect.stringContaining('bad.yaml:1 shard: unknown key, did you mean shards?'),
      expect.stringContaining('  TIDEGATE_LOGS: unknown variable, did you mean TIDEGATE_LOG?'),
      expect.stringContaining('  --listen "here": expected HOST:PORT'),
      expect.stringContaining('  TIDEGATE_BUDGET "much": expected'),
      expect.stringContaining('bad.yaml:2 logLevel "loud": expected one of'),
      expect.stringContaining(`tidegate ${command} --help`),
    ]);
  });

  it('an address beyond loopback without credentials', async () => {
    const { code, stderr } = await runCli(['serve', '--log', 'memory', '--listen', '0.0.0.0:0']);
    expect(code).toBe(78);
    expect(stderr).toContain('--listen: without auth everybody may publish and read');
  });

  it('every fault of tail', async () => {
    const argv = ['tail', '--topic', 'reading', '--series', 'a//b', '--log', 'paper'];
    const { code, stderr } = await runCli(argv);
    expect(code).toBe(78);
    expect(stderr).toContain('3 faults');
    expect(stderr).toContain('did you mean readings?');
  });

  it('a memory log cannot be tailed', async () => {
    const { code, stderr } = await runCli(['tail', '--log', 'memory']);
    expect(code).toBe(78);
    expect(stderr).toContain('the memory log lives inside the gateway alone');
  });

  it('a directory without a log', async () => {
    const { code, stderr } = await runCli(['tail', '--log', 'file', '--data', join(folder, 'no')]);
    expect(code).toBe(78);
    expect(stderr).toMatch(/^tidegate tail: there is no log in .*\/no: .*\.\n$/);
  });
});

describe('tidegate config', () => {
  it('prints every value and where it came from', async () => {
    await writeFile(join(folder, 'tidegate.yaml'), 'ingest:\n  budget: 1GiB\n');
    const argv = ['config', '--listen', '[::1]:0'];
    const env = { TIDEGATE_SHARDS: '3', TIDEGATE_NODE: 'gw-1' };
    const { code, stdout, stderr } = await runCli(argv, { cwd: folder, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ['listen.address', '[::1]:0', 'flag --listen'],
      ['data', './data', 'default'],
      ['log', 'file', 'default'],
      ['kafka.brokers', 'none', 'default'],
      ['kafka.prefix', 'tidegate', 'default'],
      ['kafka.compression', 'none', 'default'],
      ['kafka.sasl.mechanism', 'none', 'default'],
      ['kafka.sasl.username', 'none', 'default'],
      ['kafka.sasl.passwordFile', 'none', 'default'],
      ['kafka.ssl', 'false', 'default'],
      ['kafka.ssl.caFile', 'the authorities that Node knows', 'default'],
      ['kafka.ssl.certFile', 'none', 'default'],
      ['kafka.ssl.keyFile', 'none', 'default'],
      ['kafka.ssl.servername', 'none', 'default'],
      ['shards', '3', 'environment TIDEGATE_SHARDS'],
      ['ingest.budget', '1GiB', 'file tidegate.yaml:2 ingest.budget'],
      ['ingest.sessions', 'as the budget allows', 'default'],
      ['ingest.quota.rate', 'none', 'default'],
      ['ingest.quota.burst', '64KiB', 'default'],
      ['logLevel', 'info', 'default'],
      ['node', 'gw-1', 'environment TIDEGATE_NODE'],
      ['listen.plaintext', 'loopback only', 'default'],
      ['auth.hs256.secretFile', 'none (open mode)', 'default'],
    ]);
  });

  it('prints the same as JSON', async () => {
    const { stdout } = await runCli(['config', '--json', '--budget', '64MiB', '--log', 'memory']);
    expect(JSON.parse(stdout)).toMatchObject({
      budgetBytes: { value: 67_108_864, origin: 'flag --budget' },
      log: { value: 'memory', origin: 'flag --log' },
      listen: { value: { host: '127.0.0.1', port: 8080 }, origin: 'default' },
      auth: { value: null, origin: 'default' },
    });
  });

  it('shows no credential, whatever is wrong with it', async () => {
    const file = join(folder, 'secret.yaml');
    await writeFile(file, 'auth:\n  hs256:\n    secret: hunter2\n');
    const { code, stdout, stderr } = await runCli(['config', '--config', file]);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toContain('secret.yaml:3 auth.hs256: holds an unknown key');
    expect(stderr).not.toContain('hunter2');
  });
});
