import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Admin } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Kafka as KafkaClient, logLevel } from '../../src/adapters/log/kafka-library.ts';
import { describeKafka, kafkaBrokers, topicPrefix } from '../support/kafka/cluster.ts';
import { type Kafka, startKafka } from '../support/kafka/kafka.ts';
import { PushingDevice } from '../support/pushing-device.ts';
import { runCli } from '../support/run-cli.ts';
import { linesOf, WatchedGateway } from '../support/watched-gateway.ts';

/** The protocol's numbers for a permission. */
const [TOPIC_RESOURCE, GROUP_RESOURCE] = [2, 3];
const [READ, WRITE, CREATE, DESCRIBE] = [3, 4, 5, 8];
const [PREFIXED, ALLOW] = [4, 3];
const PREFIX = 'acl';
const JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
const own = process.env['KAFKA_BROKERS'] === undefined;

/** What an operator may have done to the cluster. */
async function operate(
  step: (admin: Admin) => Promise<unknown>,
  brokers = kafkaBrokers(),
): Promise<void> {
  const admin = new KafkaClient({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
  }).admin();
  await admin.connect();
  await step(admin);
  await admin.disconnect();
}

/** Runs a gateway that does not start. Its last line is the refusal. */
async function refused(...flags: string[]): Promise<{ code: number | null; sentence: string }> {
  const { code, stdout, stderr } = await runCli(['serve', '--listen', '127.0.0.1:0', ...flags]);
  expect(stdout).toBe('');
  const lines = stderr.trimEnd().split('\n');
  expect(lines.filter((line) => line.includes('tidegate serve'))).toHaveLength(1);
  return { code, sentence: lines.at(-1) ?? '' };
}

const kafkaFlags = (prefix: string): string[] => {
  const brokers = kafkaBrokers().join(',');
  return ['--log', 'kafka', '--kafka-brokers', brokers, '--kafka-prefix', prefix];
};

describeKafka('a gateway does not start', () => {
  it('on topics of another partition count', async () => {
    const prefix = topicPrefix('count');
    const topic = `${prefix}.readings`;
    await operate((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 3 }] }));
    const { code, sentence } = await refused(...kafkaFlags(prefix), '--shards', '4');
    expect(code).toBe(78);
    expect(sentence).toContain(`topic ${topic} has 3 partitions, but 4 shards are configured`);
    expect(sentence).toMatch(/Set shards to 3, or use another kafka\.prefix/);
  });

  it('on a topic that takes less than a record may have', async () => {
    const prefix = topicPrefix('small');
    const topic = `${prefix}.alarms`;
    const configEntries = [{ name: 'max.message.bytes', value: '10000' }];
    await operate((admin) =>
      admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] }),
    );
    const { code, sentence } = await refused(...kafkaFlags(prefix), '--shards', '2');
    expect(code).toBe(78);
    expect(sentence).toContain(`topic ${topic} takes at most 10000 bytes at once`);
    expect(sentence).toMatch(/set max\.message\.bytes of the topic to 33792 or more/);
  });
});

describeKafka('a topic that is made smaller while the gateway runs', () => {
  it('ends it: told once, with what to do', async () => {
    const prefix = topicPrefix('shrunk');
    const gateway = await WatchedGateway.start(kafkaBrokers(), prefix, '--shards', '2');
    await gateway.ready();
    const device = await PushingDevice.open(gateway.ws, { device: 'd', everyMs: 50, rows: 900 });
    await device.until(() => device.acked > 2);
    const name = `${prefix}.readings`;
    const configEntries = [{ name: 'max.message.bytes', value: '5000' }];
    await operate((admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: TOPIC_RESOURCE, name, configEntries }],
      }),
    );
    const { code, stderr } = await gateway.ended;
    expect(code).toBe(74);
    expect(device.closedWith).toBe(4103);
    const bad = linesOf(stderr).filter(({ level }) => level > 40);
    const says = `nothing is acknowledged any more, stopping: Kafka refuses a record for ${name} `;
    expect(bad).toEqual([expect.objectContaining({ level: 60 })]);
    expect(bad[0]?.msg).toContain(says);
    expect(bad[0]?.msg).toMatch(/max\.message\.bytes was lowered .* Set it back and start/);
    const again = await refused(...kafkaFlags(prefix), '--shards', '2');
    expect(again.code).toBe(78);
    expect(again.sentence).toContain(`topic ${name} takes at most 5000 bytes at once`);
  });
});

/** This one starts a broker of its own, so it needs Java and does not run over `KAFKA_BROKERS`. */
describeKafka('a cluster with permissions', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-permissions-'));
  let kafka: Kafka;

  beforeAll(async () => {
    if (!own) return;
    kafka = await startKafka({
      dir: join(directory, 'kafka'),
      config: {
        'listener.security.protocol.map':
          'CLIENT:SASL_PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.client.plain.sasl.jaas.config': `${JAAS} user_guest="g";`,
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      },
    });
  });

  afterAll(async () => {
    await kafka?.broker(1).kill();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Lets the guest do this with what begins with the prefix. */
  async function grant(resourceType: number, ...operations: number[]): Promise<void> {
    const ports = readFileSync(join(directory, 'kafka/ports.json'), 'utf8');
    const [{ internal }] = JSON.parse(ports) as [{ internal: number }];
    const acl = operations.map((operation) => ({
      resourceType,
      resourceName: PREFIX,
      resourcePatternType: PREFIXED,
      principal: 'User:guest',
      host: '*',
      operation,
      permissionType: ALLOW,
    }));
    // On this listener everybody may do everything.
    await operate((admin) => admin.createAcls({ acl }), [`127.0.0.1:${internal}`]);
  }

  /** The configuration file of a user who may do what was granted. */
  function configured(): string {
    const passwordFile = join(directory, 'password');
    const config = join(directory, 'tidegate.yaml');
    const sasl = { mechanism: 'plain', username: 'guest', passwordFile };
    writeFileSync(passwordFile, 'g');
    writeFileSync(config, JSON.stringify({ shards: 3, kafka: { sasl } }));
    return config;
  }

  it.runIf(own)('tells step by step what to grant, until everything is', async () => {
    const config = configured();
    const where = ['--log', 'kafka', '--kafka-brokers', kafka.bootstrap.join(',')];
    const flags = [...where, '--kafka-prefix', PREFIX, '--config', config];
    const blind = await refused(...flags);
    expect(blind.code).toBe(78);
    expect(blind.sentence).toMatch(/no permission to see topic acl\.readings .* grant Describe/);
    await grant(TOPIC_RESOURCE, DESCRIBE);
    const idle = await refused(...flags);
    expect(idle.code).toBe(78);
    expect(idle.sentence).toMatch(/no permission to create topics: create them \(replication 1,/);
    expect(idle.sentence).toMatch(/grant Create: acl\.readings \(3 part.*acl\.schemas \(1 part/);

    await grant(TOPIC_RESOURCE, CREATE, READ);
    const gateway = await WatchedGateway.start(kafka.bootstrap, PREFIX, '--config', config);
    const reasons = async () => (await gateway.readiness()).reasons;
    const says = (text: string) => [expect.stringContaining(text)];
    await expect.poll(reasons).toEqual(says('may not Read groups that begin with kafka.prefix'));
    await grant(GROUP_RESOURCE, READ);
    await expect.poll(reasons).toEqual(says('grant Describe, Read and Write on topics'));
    await grant(TOPIC_RESOURCE, WRITE);
    await gateway.ready();
    await gateway.stop();
  });
});
