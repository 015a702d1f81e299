import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AclEntry,
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
} from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withAdmin } from '../../src/adapters/log/kafka-admin.ts';
import { ClientLog } from '../../src/adapters/log/kafka-client-log.ts';
import type { KafkaLog, KafkaLogOptions } from '../../src/adapters/log/kafka-log.ts';
import { batchOf, readAll } from '../support/batches.ts';
import { describeKafka, topicPrefix } from '../support/kafka/cluster.ts';
import { type Kafka, startKafka } from '../support/kafka/kafka.ts';
import { LoginCutter } from '../support/kafka/login-cutter.ts';
import { openLog } from '../support/kafka/open-log.ts';

const JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
const own = process.env['KAFKA_BROKERS'] === undefined;

/** This one starts a broker of its own, so it needs Java and does not run over `KAFKA_BROKERS`. */
describeKafka('a cluster that asks who we are', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-secured-'));
  const passwordFile = (text: string): string => {
    const path = join(directory, `password-${text}`);
    writeFileSync(path, `${text}\n`);
    return path;
  };
  let kafka: Kafka;

  beforeAll(async () => {
    if (!own) return;
    kafka = await startKafka({
      dir: join(directory, 'kafka'),
      config: {
        'listener.security.protocol.map':
          'CLIENT:SASL_PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.client.plain.sasl.jaas.config': `${JAAS} user_root="r" user_guest="g" user_gate="x";`,
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS;User:root',
      },
    });
  });

  afterAll(async () => {
    await kafka?.broker(1).kill();
    rmSync(directory, { recursive: true, force: true });
  });

  const open = (username: string, file: string, more: Partial<KafkaLogOptions> = {}): KafkaLog =>
    openLog({
      prefix: topicPrefix('secured'),
      brokers: kafka.bootstrap,
      sasl: { mechanism: 'plain', username, passwordFile: file },
      ...more,
    }).log;

  it.runIf(own)('takes records of a user that it knows', async () => {
    const log = open('root', passwordFile('r'));
    expect([...(await log.append(batchOf({}))).offsets]).toEqual([0]);
    await log.close();
  });

  it.runIf(own)('refuses a wrong password: exit 78, and the password is not told', async () => {
    const file = passwordFile('wrong-secret');
    const log = open('root', file);
    const refusal = await log.ready().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ exitCode: 78, message: expect.stringMatching(/kafka\.sasl/) });
    expect(String(refusal)).not.toContain(readFileSync(file, 'utf8').trim());
    await log.close();
  });

  it.runIf(own)('whose broker goes away in the middle of a login refuses nobody', async () => {
    const address = kafka.bootstrap[0] as string;
    const relay = await LoginCutter.open(address, 3);
    const log = open('root', passwordFile('r'), { route: () => relay.address });
    await log.ready();
    expect(relay.left).toBe(0);
    await log.close();
    relay.close();
  });

  it.runIf(own)('refuses a user without permission: exit 78, and says what to grant', async () => {
    const log = open('guest', passwordFile('g'));
    const message = expect.stringMatching(/no permission.*Create/);
    await expect(log.ready()).rejects.toMatchObject({ exitCode: 78, message });
    await log.close();
  });

  it.runIf(own)('takes records of a user with the permissions that the README lists', async () => {
    const prefix = topicPrefix('granted');
    const sasl = { mechanism: 'plain', username: 'root', passwordFile: passwordFile('r') } as const;
    const root = { brokers: kafka.bootstrap, clientId: 'root', sasl };
    const { signal } = new AbortController();
    await withAdmin({ ...root, signal, log: new ClientLog(() => undefined) }, (admin) =>
      admin.createAcls({ acl: [...granted(`${prefix}.`), ...granted(`${prefix}-`, true)] }),
    );
    const log = open('gate', passwordFile('x'), { prefix });
    expect([...(await log.append(batchOf({}))).offsets]).toEqual([0]);
    expect(await readAll(log)).toHaveLength(1);
    await log.close();
  });

  it.runIf(own)('with a password file that is not there: exit 78', async () => {
    const log = open('root', join(directory, 'nowhere'));
    const message = expect.stringMatching(/cannot read the password/);
    await expect(log.ready()).rejects.toMatchObject({ exitCode: 78, message });
    await log.close();
  });
});

/** What the README says that a gateway needs: on topics, or on groups, that begin so. */
function granted(resourceName: string, isGroup = false): AclEntry[] {
  const { READ, WRITE, CREATE, DESCRIBE, DESCRIBE_CONFIGS } = AclOperationTypes;
  const operations = isGroup ? [READ] : [CREATE, DESCRIBE, READ, WRITE, DESCRIBE_CONFIGS];
  return operations.map((operation) => ({
    resourceType: isGroup ? AclResourceTypes.GROUP : AclResourceTypes.TOPIC,
    resourcePatternType: ResourcePatternTypes.PREFIXED,
    permissionType: AclPermissionTypes.ALLOW,
    principal: 'User:gate',
    host: '*',
    resourceName,
    operation,
  }));
}
