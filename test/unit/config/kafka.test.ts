import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kafkaAccess } from '../../../src/config/kafka-access.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { codeIn } from '../../support/doc-code.ts';
import { bytesOf, faultsOf, type GivenConfig, load } from '../../support/load-config.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/tls');
const CERTIFICATE = readFileSync(join(FIXTURES, 'cert.pem'), 'utf8');
const KEY = readFileSync(join(FIXTURES, 'key.pem'), 'utf8');
const FILES = { password: 'hunter2\n', 'ca.pem': CERTIFICATE, 'c.pem': CERTIFICATE, 'k.pem': KEY };
const LOGIN = 'mechanism: plain, username: alice, passwordFile: password';

/** A configuration whose `kafka` section has brokers, and this; the files are there. */
const given = (kafka: string, more: GivenConfig = {}): GivenConfig => ({
  ...more,
  files: { ...FILES, 'tidegate.yaml': `kafka: {brokers: 'a:1', ${kafka}}`, ...more.files },
});
const accessOf = (kafka: string, more?: GivenConfig) => kafkaAccess(load(given(kafka, more)));
const AT = 'tidegate.yaml:1 kafka';

describe('a cluster that asks for nothing', () => {
  it('is reached without a login and without TLS', () => {
    expect(accessOf('prefix: p')).toEqual({ brokers: ['a:1'], prefix: 'p' });
    expect(load(given('prefix: p')).kafkaCompression).toBe('none');
  });
});

describe('kafka.sasl', () => {
  it.each(['plain', 'scram-sha-256', 'SCRAM-SHA-512'])('logs in by %s', (mechanism) => {
    const sasl = `sasl: {mechanism: ${mechanism}, username: alice, passwordFile: password}`;
    expect(accessOf(sasl).sasl).toEqual({
      mechanism: mechanism.toLowerCase(),
      username: 'alice',
      passwordFile: 'password',
    });
  });

  it('may come from the environment, but for the password itself', () => {
    const env = {
      TIDEGATE_KAFKA_SASL_MECHANISM: 'plain',
      TIDEGATE_KAFKA_SASL_USERNAME: 'bob',
      TIDEGATE_KAFKA_SASL_PASSWORD_FILE: 'password',
    };
    expect(accessOf('prefix: p', { env }).sasl).toMatchObject({ username: 'bob' });
    expect(accessOf(`sasl: {${LOGIN}}`, { env }).sasl).toMatchObject({ username: 'bob' });
    const wrong = faultsOf(
      given('prefix: p', { env: { TIDEGATE_KAFKA_SASL_PASSWORD: 'hunter2' } }),
    );
    expect(wrong).toEqual([
      'TIDEGATE_KAFKA_SASL_PASSWORD: unknown variable, did you mean TIDEGATE_KAFKA_SASL_PASSWORD_FILE?',
    ]);
  });

  it.each<[string, string]>([
    ['sasl:', 'kafka.sasl.mechanism (TIDEGATE_KAFKA_SASL_MECHANISM) and kafka.sasl.username'],
    ['sasl: {}', 'kafka.sasl.mechanism (TIDEGATE_KAFKA_SASL_MECHANISM) and kafka.sasl.username'],
    [
      'sasl: {mechanism: plain, passwordFile: password}',
      'kafka.sasl.username (TIDEGATE_KAFKA_SASL_USERNAME) as well',
    ],
    [
      'sasl: {mechanism: plain, username: alice}',
      'kafka.sasl.passwordFile (TIDEGATE_KAFKA_SASL_PASSWORD_FILE) as well',
    ],
  ])('that is not whole, %s, is a fault that says what is lacking', (sasl, lacking) => {
    const [fault, ...others] = faultsOf(given(sasl));
    expect(fault).toContain(`${AT}.sasl: a login at Kafka needs ${lacking}`);
    expect(others).toEqual([]);
  });

  it('that is not whole is a fault where it stands, in the environment too', () => {
    const env = { TIDEGATE_KAFKA_SASL_USERNAME: 'bob' };
    expect(faultsOf(given('prefix: p', { env }))).toEqual([
      expect.stringMatching(/^TIDEGATE_KAFKA_SASL_USERNAME: a login at Kafka needs .*mechanism/),
    ]);
  });

  it.each<[string, string]>([
    ['mechanism: gssapi', '.mechanism "gssapi": expected one of plain, scram-sha-256'],
    ['username: ""', '.username "": expected a name'],
    ['passwordFile: ""', '.passwordFile: expected the name of a file'],
    ['user: alice', '.user: unknown key, did you mean kafka.sasl.username?'],
    ['password: hunter2', '.password: unknown key, did you mean kafka.sasl.passwordFile?'],
  ])('with %s is a fault', (part, says) => {
    const faults = faultsOf(given(`sasl: {${part}}`));
    expect(faults.find((fault) => fault.includes(says))).toMatch(/^tidegate\.yaml:1 kafka\.sasl/);
    expect(faults.join('\n')).not.toContain('hunter2');
  });

  it.each<[string, string, string]>([
    ['a password file that is not there', 'nowhere', 'there is no file of the name'],
    ['an empty one', 'empty', 'the file is empty'],
    ['the password in the place of its file', 'hunter2', 'there is no file of the name'],
  ])('with %s is a fault that does not show the name', (_, passwordFile, says) => {
    const sasl = `sasl: {mechanism: plain, username: alice, passwordFile: ${passwordFile}}`;
    const faults = faultsOf(given(sasl, { files: { empty: '\n' } }));
    expect(faults).toEqual([expect.stringContaining(`${AT}.sasl.passwordFile: ${says}`)]);
    expect(faults.join()).not.toMatch(/hunter2|nowhere/);
  });

  it('with a password file that may not be read is a fault', () => {
    const text = `kafka: {brokers: 'a:1', sasl: {${LOGIN}}}`;
    const readFile = (name: string): Uint8Array => {
      if (name === 'tidegate.yaml') return bytesOf(text);
      throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    };
    expect(() => loadConfig({ flags: {}, env: {}, hostname: 'h', readFile })).toThrow(
      /sasl\.passwordFile: the file that is named here cannot be read \(EACCES\)$/,
    );
  });
});

describe('kafka.ssl', () => {
  it.each(['ssl: true', 'ssl: {}', 'ssl'])('%s is TLS with the authorities of Node', (ssl) => {
    expect(accessOf(ssl).ssl).toEqual({});
  });

  it('is off without a word, and with false', () => {
    expect(accessOf('ssl: false').ssl).toBeUndefined();
    const env = { TIDEGATE_KAFKA_SSL: 'false' };
    expect(accessOf('ssl: true', { env }).ssl).toBeUndefined();
  });

  it('is on where a file or a name of it is given, and the origin says why', () => {
    const ssl = 'ssl: {caFile: ca.pem, certFile: c.pem, keyFile: k.pem, servername: kafka.example}';
    expect(accessOf(ssl).ssl).toEqual({
      caFile: 'ca.pem',
      certFile: 'c.pem',
      keyFile: 'k.pem',
      servername: 'kafka.example',
    });
    expect(load(given(ssl)).origins.kafkaSsl).toBe(
      'default, because of file tidegate.yaml:1 kafka.ssl.caFile',
    );
    expect(load(given('ssl: {}')).origins.kafkaSsl).toBe(
      'default, because of file tidegate.yaml:1 kafka.ssl',
    );
    const env = { TIDEGATE_KAFKA_SSL_CA_FILE: 'ca.pem' };
    expect(accessOf('prefix: p', { env }).ssl).toEqual({ caFile: 'ca.pem' });
  });

  it.each<[string, string]>([
    ['ssl: yes', ' "yes": expected true or false'],
    ['ssl: [a]', ': kafka.ssl is a section of keys, not a value'],
    ['ssl: {servername: 10.0.0.1}', '.servername "10.0.0.1": expected the name of a host'],
    ['ssl: {ca: x}', '.ca: unknown key, did you mean kafka.ssl.caFile?'],
    ['ssl: {certFile: c.pem}', '.certFile: needs kafka.ssl.keyFile (TIDEGATE_KAFKA_SSL_KEY_FILE)'],
    ['ssl: {keyFile: k.pem}', '.keyFile: needs kafka.ssl.certFile (TIDEGATE_KAFKA_SSL_CERT_FILE)'],
    ['ssl: {caFile: nowhere}', '.caFile: there is no file of the name that stands here'],
    ['ssl: {caFile: k.pem}', '.caFile: the file holds no certificate in PEM form'],
    ['ssl: {caFile: password}', '.caFile: the file holds no certificate in PEM form'],
    ['ssl: {certFile: password, keyFile: k.pem}', '.certFile: the file holds no certificate'],
    ['ssl: {certFile: c.pem, keyFile: c.pem}', '.keyFile: the file holds no private key'],
    ['ssl: {certFile: c.pem, keyFile: other}', '.keyFile: is not the key of the certificate in'],
    ['ssl: {certFile: c.pem, keyFile: locked}', '.keyFile: the key is encrypted'],
  ])('%s is a fault', (ssl, says) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = { type: 'pkcs8', format: 'pem' } as const;
    const files = {
      other: String(privateKey.export(pem)),
      locked: String(privateKey.export({ ...pem, cipher: 'aes-256-cbc', passphrase: 'x' })),
    };
    const faults = faultsOf(given(ssl, { files }));
    expect(faults).toEqual([expect.stringContaining(`${AT}.ssl${says}`)]);
  });

  it('false beside a file of TLS is a contradiction', () => {
    const env = { TIDEGATE_KAFKA_SSL: 'false' };
    expect(faultsOf(given('ssl: {caFile: ca.pem}', { env }))).toEqual([
      'TIDEGATE_KAFKA_SSL: says no TLS, but kafka.ssl.caFile is set: leave one of them out',
    ]);
  });

  it('in the neighbourhood of another name is suggested', () => {
    expect(faultsOf(given('tls: {caFile: ca.pem}'))).toEqual([
      `${AT}.tls: unknown key, did you mean kafka.ssl?`,
    ]);
  });
});

describe('faults of a cluster', () => {
  it('are reported all at once', () => {
    const kafka =
      'compression: gzip, sasl: {mechanism: digest, username: a, passwordFile: no}, ' +
      'ssl: {caFile: no, certFile: c.pem}, brokrs: x';
    const places = faultsOf(given(kafka)).map((fault) => fault.split(/[: ]/)[2]);
    expect(places.sort()).toEqual([
      'kafka.brokrs',
      'kafka.compression',
      'kafka.sasl.mechanism',
      'kafka.sasl.passwordFile',
      'kafka.ssl.caFile',
      'kafka.ssl.certFile',
    ]);
  });

  it('in its files matter only where the log is Kafka', () => {
    const kafka = 'sasl: {mechanism: plain, username: a, passwordFile: no}, ssl: {caFile: no}';
    expect(faultsOf(given(kafka, { flags: { log: 'file' } }))).toEqual([]);
    expect(faultsOf(given(kafka))).toHaveLength(2);
  });
});

describe('the example in the README', () => {
  it('is a login over TLS', () => {
    const text = codeIn('README.md', 'yaml', 'passwordFile');
    const files = { './kafka-password': 'x', './kafka-ca.pem': CERTIFICATE, 'tidegate.yaml': text };
    expect(kafkaAccess(load({ files }))).toEqual({
      brokers: ['kafka1.example.com:9093', 'kafka2.example.com:9093'],
      prefix: 'tidegate',
      sasl: {
        mechanism: 'scram-sha-512',
        username: 'tidegate',
        passwordFile: './kafka-password',
      },
      ssl: { caFile: './kafka-ca.pem' },
    });
  });
});
