import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { bytesOf, faultsOf, load } from '../../support/load-config.ts';

describe('without anything given', () => {
  it('everything has its default', () => {
    const { origins, ...values } = load({});
    expect(values).toEqual({
      listen: { host: '127.0.0.1', port: 8080 },
      data: './data',
      log: 'file',
      kafkaBrokers: [],
      kafkaPrefix: 'tidegate',
      kafkaCompression: 'none',
      kafkaSaslMechanism: null,
      kafkaSaslUsername: null,
      kafkaSaslPasswordFile: null,
      kafkaSsl: false,
      kafkaSslCaFile: null,
      kafkaSslCertFile: null,
      kafkaSslKeyFile: null,
      kafkaSslServername: null,
      shards: 24,
      budgetBytes: 256 * 1024 * 1024,
      sessions: null,
      quotaRateBytes: null,
      quotaBurstBytes: 64 * 1024,
      logLevel: 'info',
      node: 'host',
      plaintext: null,
      auth: null,
    });
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']));
    expect(Object.keys(origins).sort()).toEqual(Object.keys(values).sort());
  });

  it('is frozen, all the way down', () => {
    const config = load({});
    expect(() => Object.assign(config, { shards: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.listen, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.origins, { shards: '' })).toThrow(TypeError);
  });

  it.each([
    ['gw-7.example.com', 'gw-7-example-com'],
    ['a_b', 'a-b'],
    ['x'.repeat(80), 'x'.repeat(63)],
    ['', 'node'],
  ])('the node is named after the host %j: %j', (hostname, node) => {
    expect(load({ hostname }).node).toBe(node);
  });
});

describe('precedence: flag > environment > file > default', () => {
  const file = { 'tidegate.yaml': '# ours\nshards: 3\nlogLevel: warn\ningest:\n  budget: 2MiB\n' };
  const env = { TIDEGATE_SHARDS: '4', TIDEGATE_LOG_LEVEL: 'debug' };
  const flags = { shards: '5' };

  it.each([
    ['default', {}, 24, 'default'],
    ['file', { files: file }, 3, 'file tidegate.yaml:2 shards'],
    ['environment', { files: file, env }, 4, 'environment TIDEGATE_SHARDS'],
    ['flag', { files: file, env, flags }, 5, 'flag --shards'],
  ])('%s', (_, given, shards, origin) => {
    const config = load(given);
    expect([config.shards, config.origins.shards]).toEqual([shards, origin]);
  });

  it('is decided for each setting by itself', () => {
    const config = load({ files: file, env, flags });
    expect(config.logLevel).toBe('debug');
    expect(config.budgetBytes).toBe(2 * 1024 * 1024);
    expect(config.origins.budgetBytes).toBe('file tidegate.yaml:5 ingest.budget');
    expect(config.origins.data).toBe('default');
  });

  it('reads every variable and every key of the table', () => {
    const fromEnv = load({
      env: {
        TIDEGATE_LISTEN: '[::1]:0',
        TIDEGATE_DATA: '/d',
        TIDEGATE_LOG: 'memory',
        TIDEGATE_KAFKA_BROKERS: 'a:1,b:2',
        TIDEGATE_KAFKA_PREFIX: 'p',
        TIDEGATE_KAFKA_SASL_MECHANISM: 'plain',
        TIDEGATE_KAFKA_SASL_USERNAME: 'u',
        TIDEGATE_KAFKA_SASL_PASSWORD_FILE: 'f',
        TIDEGATE_KAFKA_SSL: 'true',
        TIDEGATE_KAFKA_SSL_CA_FILE: 'a',
        TIDEGATE_KAFKA_SSL_CERT_FILE: 'c',
        TIDEGATE_KAFKA_SSL_KEY_FILE: 'k',
        TIDEGATE_SHARDS: '6',
        TIDEGATE_BUDGET: '1048576',
        TIDEGATE_SESSIONS: '5',
        TIDEGATE_QUOTA_RATE: '2KiB',
        TIDEGATE_QUOTA_BURST: '20000',
        TIDEGATE_LOG_LEVEL: 'silent',
        TIDEGATE_NODE: 'gw-1',
      },
    });
    const text = JSON.stringify({
      listen: { address: '[::1]:0' },
      data: '/d',
      log: 'memory',
      kafka: {
        brokers: ['a:1', 'b:2'],
        prefix: 'p',
        sasl: { mechanism: 'plain', username: 'u', passwordFile: 'f' },
        ssl: { caFile: 'a', certFile: 'c', keyFile: 'k' },
      },
      shards: 6,
      ingest: { budget: 1048576, sessions: 5, quota: { rate: '2KiB', burst: 20000 } },
      logLevel: 'silent',
    });
    const fromFile = load({ files: { 'tidegate.yaml': text }, env: { TIDEGATE_NODE: 'gw-1' } });
    expect({ ...fromFile, origins: null }).toEqual({ ...fromEnv, origins: null });
    expect(fromEnv.kafkaBrokers).toEqual(['a:1', 'b:2']);
    expect(Object.entries(fromEnv.origins).filter(([, origin]) => origin === 'default')).toEqual([
      ['kafkaCompression', 'default'],
      ['kafkaSslServername', 'default'],
      ['plaintext', 'default'],
      ['auth', 'default'],
    ]);
  });
});

describe('the file', () => {
  it('is the one that --config names, and then no other', () => {
    const files = { 'a.json': '{\n\t"shards": 7\n}', 'tidegate.yaml': 'shards: 8' };
    const config = load({ files, flags: { config: 'a.json' } });
    expect([config.shards, config.origins.shards]).toEqual([7, 'file a.json:2 shards']);
  });

  it.each([
    ['empty', ''],
    ['only comments', '# nothing\n'],
    ['empty sections', 'listen:\nkafka: {}\n'],
  ])('%s says nothing', (_, text) => {
    expect(load({ files: { 'tidegate.yaml': text } }).shards).toBe(24);
  });

  it('may use anchors', () => {
    const text = 'data: &d ./x\nkafka:\n  prefix: *d\n';
    expect(faultsOf({ files: { 'tidegate.yaml': text } })).toEqual([
      'tidegate.yaml:3 kafka.prefix "./x": expected 1 to 200 letters, digits, dots, _ and -',
    ]);
  });

  it.each<[string, string, string[]]>([
    ['unknown key', 'shrads: 3', ['tidegate.yaml:1 shrads: unknown key, did you mean shards?']],
    [
      'unknown key in a section',
      'data: x\nlisten:\n  adress: 127.0.0.1:1',
      ['tidegate.yaml:3 listen.adress: unknown key, did you mean listen.address?'],
    ],
    ['unknown key far from all', 'zzzzzzzz: 1', ['tidegate.yaml:1 zzzzzzzz: unknown key']],
    [
      'a value for a section',
      'listen: 127.0.0.1:1',
      ['tidegate.yaml:1 listen: listen is a section of keys, not a value'],
    ],
    ['a section for a value', 'shards: {n: 3}', ['tidegate.yaml:1 shards: expected one value']],
    ['no value', 'shards:', ['tidegate.yaml:1 shards: expected one value']],
    ['a list', '- a', ['tidegate.yaml:1: the file is a section of keys, not a value']],
    ['a word', 'hello', ['tidegate.yaml:1: the file is a section of keys, not a value']],
    ['twice', 'shards: 1\nshards: 2', ['tidegate.yaml:2: Map keys must be unique']],
    ['a key that is none', '? [a]\n: 1', ['tidegate.yaml:1 ?: unknown key']],
  ])('%s is a fault that names the line', (_, text, faults) => {
    expect(faultsOf({ files: { 'tidegate.yaml': text } })).toEqual(faults);
  });

  it('that is not YAML is a fault that names the line', () => {
    const [fault, ...others] = faultsOf({ files: { 'tidegate.yaml': 'data: x\nlog: [1\n' } });
    expect(fault).toMatch(/^tidegate\.yaml:\d: /);
    expect(others).toEqual([]);
  });

  it('that --config names must be there', () => {
    expect(faultsOf({ flags: { config: 'no.yaml' } })).toEqual([
      '--config "no.yaml": there is no such file',
    ]);
  });

  it('that cannot be read is a fault', () => {
    const readFile = (): Uint8Array => {
      throw new Error('EACCES: permission denied');
    };
    const input = { flags: {}, env: {}, hostname: 'h', readFile };
    expect(() => loadConfig(input)).toThrow('tidegate.yaml: cannot be read: EACCES');
  });
});

describe('bad values', () => {
  it.each<[string, string]>([
    ['listen', 'nonsense'],
    ['listen', '8080'],
    ['listen', ':8080'],
    ['listen', '127.0.0.1:'],
    ['listen', '127.0.0.1:65536'],
    ['listen', '127.0.0.1:-1'],
    ['listen', '::1:8080'],
    ['listen', '[::1]'],
    ['listen', ''],
    ['data', ' '],
    ['log', 'disk'],
    ['shards', '0'],
    ['shards', '1.5'],
    ['shards', '1025'],
    ['shards', '-1'],
    ['budget', '64'],
    ['budget', '64XB'],
    ['budget', 'much'],
    ['budget', '1.5B'],
    ['budget', '-1MiB'],
    ['log-level', 'loud'],
    ['kafka-brokers', 'a'],
    ['kafka-brokers', 'a:1,'],
    ['kafka-brokers', 'a:0'],
    ['kafka-prefix', 'a b'],
  ])('--%s %j is a fault that quotes it', (flag, text) => {
    const faults = faultsOf({ flags: { log: 'file', [flag]: text } });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`--${flag} ${JSON.stringify(text)}: `);
  });

  it.each<[string, string, unknown]>([
    ['listen', '127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['listen', 'localhost:80', { host: 'localhost', port: 80 }],
    ['listen', '[::1]:8080', { host: '::1', port: 8080 }],
    ['budgetBytes', '65536', 65_536],
    ['budgetBytes', '64KiB', 65_536],
    ['budgetBytes', '64 mib', 64 * 1024 ** 2],
    ['budgetBytes', '1.5GiB', 1.5 * 1024 ** 3],
    ['budgetBytes', '70000B', 70_000],
    ['shards', '1', 1],
    ['shards', '1024', 1024],
    ['logLevel', 'silent', 'silent'],
  ])('%s takes %j', (name, text, value) => {
    const flag = { budgetBytes: 'budget', logLevel: 'log-level' }[name] ?? name;
    expect(load({ flags: { [flag]: text } })).toMatchObject({ [name]: value });
  });

  it('are reported all at once, wherever they come from', () => {
    const given = {
      flags: { listen: 'x', shards: '0' },
      env: { TIDEGATE_BUDGET: 'y', TIDEGATE_SHARDS: 'z', TIDEGATE_NODES: 'n', OTHER: '' },
      files: { 'tidegate.yaml': 'log: paper\nshads: 1\nnode: x' },
    };
    expect(faultsOf(given).map((line) => line.split(':').slice(0, -1).join(':'))).toEqual(
      [
        'tidegate.yaml:2 shads',
        'tidegate.yaml:3 node',
        'TIDEGATE_NODES',
        'tidegate.yaml:1 log "paper"',
        '--listen "x"',
        '--shards "0"',
        'TIDEGATE_SHARDS "z"',
        'TIDEGATE_BUDGET "y"',
      ].map((where) => expect.stringContaining(where) as unknown as string),
    );
  });

  it('more sessions than the budget is enough for', () => {
    const given = (sessions: string) => ({
      flags: { budget: '1MiB' },
      env: { TIDEGATE_SESSIONS: sessions },
    });
    expect(load(given('79')).sessions).toBe(79);
    expect(faultsOf(given('80'))).toEqual([
      'TIDEGATE_SESSIONS: the budget is enough for 79: choose a larger ingest.budget',
    ]);
  });

  it('hidden by a better one are faults all the same', () => {
    expect(faultsOf({ flags: { shards: '3' }, env: { TIDEGATE_SHARDS: 'x' } })).toHaveLength(1);
  });

  it.each([
    [
      'fast',
      'expected a whole number of bytes a second, with B, KiB, MiB or GiB if you like: 64KiB',
    ],
    ['1B', 'expected at least 1KiB a second'],
  ])('a rate of %s speaks of bytes a second', (rate, message) => {
    expect(faultsOf({ files: { 'tidegate.yaml': `ingest: {quota: {rate: ${rate}}}` } })).toEqual([
      expect.stringMatching(new RegExp(`: ${message}$`)),
    ]);
  });

  it('that are long are cut', () => {
    expect(faultsOf({ flags: { log: 'x'.repeat(5000) } })[0]?.length).toBeLessThan(150);
  });

  it('of unknown variables come with what was meant', () => {
    expect(faultsOf({ env: { TIDEGATE_LISTN: '127.0.0.1:1' } })).toEqual([
      'TIDEGATE_LISTN: unknown variable, did you mean TIDEGATE_LISTEN?',
    ]);
  });
});

describe('TIDEGATE_URL', () => {
  it("is known though it is no setting: README's devices read it", () => {
    const config = load({ env: { TIDEGATE_URL: 'ws://127.0.0.1:8080/v1' } });
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 8080 });
  });
});

describe('which log', () => {
  it('--log kafka needs brokers', () => {
    expect(faultsOf({ flags: { log: 'kafka' } })).toEqual([
      '--log: needs to know where Kafka is: --kafka-brokers HOST:PORT,…',
    ]);
  });

  it.each([
    ['KAFKA_BROKERS', { env: { KAFKA_BROKERS: 'a:1' } }],
    ['TIDEGATE_KAFKA_BROKERS', { env: { TIDEGATE_KAFKA_BROKERS: 'a:1', KAFKA_BROKERS: 'b:1' } }],
    ['--kafka-brokers', { flags: { 'kafka-brokers': 'a:1' }, env: { KAFKA_BROKERS: 'b:1' } }],
    ['tidegate.yaml:2 kafka.brokers', { files: { 'tidegate.yaml': 'kafka:\n  brokers: a:1' } }],
  ])('brokers without --log mean Kafka, and the origin names %s', (where, given) => {
    const config = load(given);
    expect([config.log, config.kafkaBrokers]).toEqual(['kafka', ['a:1']]);
    expect(config.origins.log).toContain(`default, because of`);
    expect(config.origins.log).toContain(where);
  });

  it.each(['file', 'memory'])('--log %s leaves KAFKA_BROKERS alone, whatever it holds', (log) => {
    const config = load({ flags: { log }, env: { KAFKA_BROKERS: 'nonsense' } });
    expect([config.log, config.origins.log]).toEqual([log, 'flag --log']);
  });

  it('an empty KAFKA_BROKERS is none', () => {
    expect(load({ env: { KAFKA_BROKERS: '' } }).log).toBe('file');
  });
});

describe('open mode', () => {
  it.each(['0.0.0.0:8080', '[::]:1', '192.168.1.2:80', 'example.com:80', '127.0.0.2:80'])(
    'does not listen on %s',
    (address) => {
      expect(faultsOf({ flags: { listen: address } })).toEqual([
        '--listen: without auth everybody may publish and read, so it must be 127.0.0.1, localhost or [::1]',
      ]);
    },
  );

  it('has no plaintext beyond loopback', () => {
    const files = { 'tidegate.yaml': 'listen:\n  plaintext: trusted-network\n' };
    expect(faultsOf({ files })).toEqual([
      'tidegate.yaml:2 listen.plaintext: needs auth: without credentials the gateway listens on loopback only',
    ]);
  });

  it('is not what an auth section without a secret asks for', () => {
    const fault =
      'tidegate.yaml:1 auth: names no credentials: set auth.hs256.secretFile, or leave auth out';
    for (const text of ['auth:', 'auth: {}', 'auth:\n  hs256:', 'auth: {hs256: {}}']) {
      expect(faultsOf({ files: { 'tidegate.yaml': text } })).toEqual([fault]);
    }
  });
});

describe('auth', () => {
  const SECRET = '0123456789abcdef0123456789abcdef';
  const auth = 'auth: {hs256: {secretFile: ./secret}}\n';
  const faultsWith = (text: string, secret = SECRET, flags: Record<string, string> = {}) =>
    faultsOf({ files: { 'tidegate.yaml': text, './secret': secret }, flags });

  it('takes the secret out of the file, without the newline at its end', () => {
    for (const end of ['', '\n', '\r\n']) {
      const config = load({ files: { 'tidegate.yaml': auth, './secret': SECRET + end } });
      expect(config.auth?.secretFile).toBe('./secret');
      expect(config.auth?.secret.export()).toEqual(Buffer.from(SECRET));
      expect(config.origins.auth).toBe('file tidegate.yaml:1 auth.hs256.secretFile');
    }
  });

  it('takes no other whitespace away, and bytes as they are', () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, i) => 255 - i);
    const readFile = (name: string) => (name === './secret' ? bytes : bytesOf(auth));
    const config = loadConfig({ flags: {}, env: {}, hostname: 'h', readFile });
    expect(config.auth?.secret.export()).toEqual(Buffer.from(bytes));
    const spaced = ` ${SECRET} \n\n`;
    const { secret } = load({ files: { 'tidegate.yaml': auth, './secret': spaced } }).auth ?? {};
    expect(secret?.export().toString()).toBe(` ${SECRET} \n`);
  });

  it('does not print its secret', () => {
    const config = load({ files: { 'tidegate.yaml': auth, './secret': SECRET } });
    const hex = Buffer.from(SECRET).toString('hex');
    for (const text of [JSON.stringify(config), inspect(config, { depth: null })]) {
      expect(text).not.toMatch(new RegExp(`${SECRET}|${hex}|48, ?49, ?50`));
    }
  });

  it.each<[string, string | undefined, string]>([
    ['a short one', SECRET.slice(1), 'the file is no secret: it holds 31 bytes'],
    ['a short one with a newline', `${SECRET.slice(1)}\n`, 'it holds 31 bytes'],
    ['an empty one', '', 'it holds 0 bytes'],
    ['none', undefined, 'there is no file of the name that stands here'],
  ])('%s is a fault', (_, secret, says) => {
    const files: Record<string, string> = { 'tidegate.yaml': auth };
    if (secret !== undefined) files['./secret'] = secret;
    const faults = faultsOf({ files });
    expect(faults).toEqual([expect.stringContaining(says)]);
    expect(faults[0]).toMatch(/^tidegate\.yaml:1 auth\.hs256\.secretFile: /);
  });

  it('a secret that cannot be read is a fault', () => {
    const readFile = (name: string): Uint8Array => {
      if (name === 'tidegate.yaml') return bytesOf(auth);
      throw Object.assign(new Error("EACCES: permission denied, open './secret'"), {
        code: 'EACCES',
      });
    };
    expect(() => loadConfig({ flags: {}, env: {}, hostname: 'h', readFile })).toThrow(
      /secretFile: the file that is named here cannot be read \(EACCES\)$/,
    );
  });

  it.each([
    'auth: hunter2',
    'auth: [hunter2]',
    'auth: {hunter2: 1}',
    'auth: {hunter2}',
    'auth: {hs256: hunter2}',
    'auth: {hs256: {secret: hunter2}}',
    'auth: {hs256: {hunter2}}',
    'auth: {hs256: {secretFile: hunter2}}',
    'auth: {hs256: {secretFile: [hunter2]}}',
    'auth: {hs256: {secretFile: {hunter2: hunter2}}}',
  ])('%s is a fault that shows nothing of it', (text) => {
    const faults = faultsOf({ files: { 'tidegate.yaml': text } });
    expect(faults).not.toEqual([]);
    expect(faults.join('\n')).not.toContain('hunter2');
  });

  it('names the key that there is when another one stands there', () => {
    expect(faultsWith('auth: {hs256: {secretFile: ./secret, secret: x}}')).toEqual([
      'tidegate.yaml:1 auth.hs256: holds an unknown key; what there is is auth.hs256.secretFile',
    ]);
  });

  it.each(['0.0.0.0:8080', '[::]:1', '192.168.1.2:80', 'example.com:80', '127.evil.example:80'])(
    'listens on %s only where the network is trusted',
    (listen) => {
      expect(faultsWith(auth, SECRET, { listen })).toEqual([
        '--listen: without TLS only loopback is served, unless the file says listen.plaintext: trusted-network',
      ]);
      const trusted = `${auth}listen: {plaintext: trusted-network}\n`;
      expect(faultsWith(trusted, SECRET, { listen })).toEqual([]);
    },
  );

  it.each(['127.0.0.1:0', '127.0.0.2:80', '[::1]:80', 'localhost:80'])(
    'listens on %s without more ado',
    (listen) => {
      expect(faultsWith(auth, SECRET, { listen })).toEqual([]);
    },
  );

  it('shows nothing of a file that cannot be parsed', () => {
    const files = { 'tidegate.yaml': 'auth:\n  hs256: {secret: hunter2\nshards: 1\n' };
    expect(faultsOf({ files }).join('\n')).not.toContain('hunter2');
    expect(faultsOf({ files })).not.toEqual([]);
  });
});
