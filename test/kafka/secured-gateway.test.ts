import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { describeKafka, topicPrefix } from '../support/kafka/cluster.ts';
import { type Kafka, startKafka } from '../support/kafka/kafka.ts';
import { RawClient } from '../support/raw-client.ts';
import { linesOf } from '../support/read-log.ts';
import { runCli } from '../support/run-cli.ts';

const own = process.env['KAFKA_BROKERS'] === undefined;
const TLS = join(import.meta.dirname, '../fixtures/tls');
const CA = join(TLS, 'cert.pem');
const TOOLS = join(import.meta.dirname, '../support/kafka/kafka.ts');
const JAAS = 'org.apache.kafka.common.security';
const TIMEOUT_MS = 90_000;

type Line = { readonly device: string; readonly n: number };

/** Real processes on a cluster with TLS and logins; it starts a broker of its own. */
describeKafka('a gateway on a cluster with TLS and logins', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-secured-'));
  const store = join(directory, 'store.pem');
  const passwordFile = join(directory, 'password');
  let kafka: Kafka;

  beforeAll(async () => {
    if (!own) return;
    writeFileSync(store, ['key.pem', 'cert.pem'].map((name) => read(join(TLS, name))).join(''));
    kafka = await startKafka({
      dir: join(directory, 'kafka'),
      config: {
        'listener.security.protocol.map': 'CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': store,
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        'listener.name.client.plain.sasl.jaas.config': `${JAAS}.plain.PlainLoginModule required user_root="r";`,
        'listener.name.client.scram-sha-256.sasl.jaas.config': `${JAAS}.scram.ScramLoginModule required;`,
        'listener.name.client.scram-sha-512.sasl.jaas.config': `${JAAS}.scram.ScramLoginModule required;`,
      },
    });
    await setPassword('alice', 'SCRAM-SHA-256', 'first');
    await setPassword('carol', 'SCRAM-SHA-512', 'first');
  });

  afterAll(async () => {
    await kafka?.broker(1).kill();
    rmSync(directory, { recursive: true, force: true });
  });

  /** At the cluster; a gateway learns of it by the file alone. */
  async function setPassword(name: string, mechanism: string, password: string): Promise<void> {
    const [ports] = JSON.parse(read(join(directory, 'kafka/ports.json'))) as { internal: number }[];
    const argv = ['--alter', '--entity-type', 'users', '--entity-name', name, '--add-config'];
    const where = ['--bootstrap-server', `127.0.0.1:${ports?.internal}`];
    const tool = [TOOLS, 'kafka-configs', ...where, ...argv, `${mechanism}=[password=${password}]`];
    await promisify(execFile)(process.execPath, tool);
  }

  /** The flags of a configuration file with this about Kafka. */
  function configured(about: object, prefix = topicPrefix('secured')): readonly string[] {
    const config = join(mkdtempSync(join(directory, 'config-')), 'tidegate.yaml');
    const text = { shards: 2, kafka: { brokers: kafka.bootstrap, prefix, ...about } };
    writeFileSync(config, JSON.stringify(text));
    return ['--log', 'kafka', '--config', config];
  }

  const login = (mechanism: string, username: string, password: string): object => {
    writeFileSync(passwordFile, `${password}\n`);
    return { mechanism, username, passwordFile };
  };

  const serve = (log: readonly string[]) => runCli(['serve', '--listen', '127.0.0.1:0', ...log]);

  /** Sends a frame of a device, and waits for its ack. */
  async function acked({ ws }: RunningGateway, device: string): Promise<void> {
    const client = await RawClient.publisher(ws, device);
    client.say({
      k: 'data',
      c: 1,
      n: 1,
      lost: 0,
      b: [{ s: 1, t: 1_761_962_400_000_000, v: [[21.5]] }],
    });
    await client.until('flow', ({ f }) => f.some(([lane, ack]) => lane === 1 && ack === 1));
    client.socket.close();
  }

  it.runIf(own).each([
    ['plain', 'root', 'r', 'none'],
    ['scram-sha-256', 'alice', 'first', 'zstd'],
    ['scram-sha-512', 'carol', 'first', 'none'],
  ])(
    'by %s takes a frame, and tail reads it with the same file',
    async (...given) => {
      const [mechanism, username, password, compression] = given;
      const prefix = topicPrefix('secured');
      const sasl = login(mechanism, username, password);
      const log = configured({ sasl, ssl: { caFile: CA }, compression }, prefix);
      const gateway = await startGateway({ log });
      await acked(gateway, 'plant1/pump');
      expect((await gateway.stop()).code).toBe(0);
      const { code, stdout, stderr } = await runCli(['tail', '--json', ...log]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(linesOf<Line>(stdout)).toMatchObject([
        { device: 'plant1/pump', n: 1, blocks: [{ cols: [{ unit: 'Cel', v: [21.5] }] }] },
      ]);
      expect(await codecs(prefix)).toContain(compression);
    },
    TIMEOUT_MS,
  );

  /** How the records of readings are packed. */
  async function codecs(prefix: string): Promise<string[]> {
    const { dir } = kafka.broker(1);
    const partitions = readdirSync(dir).filter((name) => name.startsWith(`${prefix}.readings-`));
    const files = partitions.map((name) => join(dir, name, '00000000000000000000.log'));
    const dump = await kafka.tool('kafka-dump-log', '--files', files.join(','));
    return [...dump.matchAll(/compresscodec: (\w+)/g)].map(([, codec]) => codec as string);
  }

  it.runIf(own)(
    'refuses what will not get better by itself: 78, and what to do',
    async () => {
      const ssl = { caFile: CA };
      const wrong = configured({ sasl: login('plain', 'root', 'hunter2'), ssl });
      const says = 'refuses the credentials \\(kafka\\.sasl\\): SASL PLAIN authentication failed';
      for (const command of [serve(wrong), runCli(['tail', ...wrong])]) {
        const { code, stderr } = await command;
        expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringMatching(says) });
        expect(stderr).not.toContain('hunter2');
      }
      const sasl = login('plain', 'root', 'r');
      const unknown = await serve(configured({ sasl, ssl: true }));
      expect(unknown).toMatchObject({
        code: 78,
        stderr: expect.stringMatching(/\(kafka\.ssl\): self-signed .*kafka\.ssl\.caFile names/),
      });
      const named = await serve(configured({ sasl, ssl: { ...ssl, servername: 'kafka.example' } }));
      expect(named).toMatchObject({
        code: 78,
        stderr: expect.stringMatching(/kafka\.ssl\.servername/),
      });
    },
    TIMEOUT_MS,
  );

  it.runIf(own)('without TLS or a login says that the port may want them', async () => {
    const { code, stderr } = await runCli(['tail', ...configured({})]);
    const says = expect.stringMatching(
      /closed the connection; perhaps that port wants TLS or a login/,
    );
    expect({ code, stderr }).toEqual({ code: 78, stderr: says });
  });

  it.runIf(own)(
    'whose password changes waits, and goes on with what the file holds then',
    async () => {
      await setPassword('alice', 'SCRAM-SHA-256', 'second');
      const sasl = login('scram-sha-256', 'alice', 'second');
      const log = configured({ sasl, ssl: { caFile: CA } });
      const gateway = await startGateway({ log });
      const readyz = async () => {
        const answer = await fetch(`${gateway.http}/readyz`);
        return `${answer.status} ${await answer.text()}`;
      };
      await acked(gateway, 'plant1/pump');
      await setPassword('alice', 'SCRAM-SHA-256', 'third');
      await kafka.broker(1).kill();
      await kafka.broker(1).start();
      const late = acked(gateway, 'plant1/valve');
      await expect.poll(readyz, { timeout: 30_000 }).toMatch(/^503 .*authentication failed/);
      writeFileSync(passwordFile, 'third');
      await expect.poll(readyz, { timeout: 30_000 }).toMatch(/^200 /);
      await late;
      expect((await gateway.stop()).code).toBe(0);
      const { stdout } = await runCli(['tail', '--json', ...log]);
      const devices = linesOf<Line>(stdout).map(({ device }) => device);
      expect(new Set(devices)).toEqual(new Set(['plant1/pump', 'plant1/valve']));
    },
    TIMEOUT_MS,
  );
});

const read = (path: string): string => readFileSync(path, 'utf8');
