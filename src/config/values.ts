import { isIP } from 'node:net';

/** A value read from text, or what is wrong with the text (the end of a sentence). */
export type Read<T> = { readonly value: T } | { readonly problem: string };

/** An address to listen on. */
export interface Address {
  /** Without brackets, as `net.Server.listen` wants it. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

/** Where the log of truth is. Source: DESIGN §4. */
export type LogMode = 'file' | 'kafka' | 'memory';
/** The levels of the log on stderr. */
export type LogLevel = (typeof LOG_LEVELS)[number];

const LOG_MODES: readonly LogMode[] = ['file', 'kafka', 'memory'];
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** More shards than this no deployment has (4–8 × its nodes), and each costs memory at the start. */
const SHARDS_MAX = 1024;
/** Less than this cannot hold the windows of even two devices. Units: bytes. */
const BUDGET_BYTES_MIN = 64 * 1024;
/** A window of a bulk lane: two largest frames. Source: CREDIT §5.6. */
const BURST_BYTES_MIN = 16_512;
const RATE_BYTES_MIN = 1024;
const SESSIONS_MAX = 1_000_000;
const PORT_MAX = 65_535;
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
};

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const bad = (problem: string): { readonly problem: string } => ({ problem });

/** Reads `HOST:PORT`; an IPv6 address stands in brackets. */
export function readAddress(text: string): Read<Address> {
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
  if (parts === null) {
    const hint = text.includes('::') ? ' (IPv6 in brackets: [::1]:8080)' : '';
    return bad(`expected HOST:PORT, such as 127.0.0.1:8080${hint}`);
  }
  const port = Number(parts[3]);
  if (port > PORT_MAX) return bad(`a port is at most ${PORT_MAX}`);
  return { value: { host: (parts[1] ?? parts[2]) as string, port } };
}

/** Writes an address the way it is read. */
export const formatAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Reads `H:P,H:P…`, at least one, no port 0. */
export function readBrokers(text: string): Read<readonly string[]> {
  const brokers = text.split(',').map((broker) => broker.trim());
  for (const broker of brokers) {
    const address = readAddress(broker);
    const isGood = 'value' in address && address.value.port > 0;
    if (!isGood) return bad('expected HOST:PORT, several with commas between');
  }
  return { value: brokers };
}

/** Reads a whole number within bounds. */
export function readWhole(text: string, least: number, most: number): Read<number> {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return { value };
  return bad(`expected a whole number from ${least} to ${most}`);
}

/** Reads the number of shards. */
export const readShards = (text: string): Read<number> => readWhole(text, 1, SHARDS_MAX);

/** Reads how many devices a node serves. */
export const readSessions = (text: string): Read<number> => readWhole(text, 1, SESSIONS_MAX);

/** Reads a size such as `64MiB`, `1 GiB` or plain bytes. Units of the value: bytes. */
export const readBytes = (text: string): Read<number> => readSize(text, BUDGET_BYTES_MIN);

/** Reads a rate in bytes a second, written as a size. */
export const readRate = (text: string): Read<number> =>
  readSize(text, RATE_BYTES_MIN, { what: 'bytes a second', example: '64KiB' });

/** Reads what a device under a quota may send at once: less than a window would hold it up. */
export const readBurst = (text: string): Read<number> => readSize(text, BURST_BYTES_MIN);

const BYTES = { what: 'bytes', example: '64MiB' };

function readSize(text: string, least: number, { what, example } = BYTES): Read<number> {
  const parts = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text);
  const unit = parts === null ? undefined : UNITS[(parts[2] as string).toUpperCase()];
  const value = parts === null || unit === undefined ? Number.NaN : Number(parts[1]) * unit;
  if (!Number.isSafeInteger(value)) {
    return bad(
      `expected a whole number of ${what}, with B, KiB, MiB or GiB if you like: ${example}`,
    );
  }
  const per = what === BYTES.what ? '' : ' a second';
  return value < least ? bad(`expected at least ${formatBytes(least)}${per}`) : { value };
}

/** Writes a size in the largest unit that leaves it whole. */
export function formatBytes(bytes: number): string {
  const units = ['GiB', 'MiB', 'KiB'] as const;
  const unit = units.find((name) => bytes % (UNITS[name.toUpperCase()] as number) === 0);
  return unit === undefined
    ? `${bytes}B`
    : `${bytes / (UNITS[unit.toUpperCase()] as number)}${unit}`;
}

const oneOf =
  <T extends string>(words: readonly T[]) =>
  (text: string): Read<T> => {
    const value = words.find((word) => word === text);
    return value === undefined ? bad(`expected one of ${words.join(', ')}`) : { value };
  };

/** Reads a log mode. */
export const readLogMode = oneOf(LOG_MODES);
/** Reads a log level. */
export const readLogLevel = oneOf(LOG_LEVELS);
/** Reads `listen.plaintext`. */
export const readPlaintext = oneOf(['trusted-network'] as const);

/** Reads `kafka.compression`. */
export const readCompression = oneOf(['none', 'zstd'] as const);

const oneOfMechanisms = oneOf(['plain', 'scram-sha-256', 'scram-sha-512'] as const);
/** Reads a SASL mechanism; Kafka's own pages write them in capitals. */
export const readMechanism = (text: string): ReturnType<typeof oneOfMechanisms> =>
  oneOfMechanisms(text.toLowerCase());

/** Reads `true` or `false`. */
export function readTruth(text: string): Read<boolean> {
  if (text === 'true' || text === 'false') return { value: text === 'true' };
  return bad('expected true or false');
}

/** Reads a directory name: anything but nothing. */
export const readDirectory = (text: string): Read<string> =>
  text.trim() === '' ? bad('expected a directory') : { value: text };

/** Reads the name of a file: anything but nothing. */
export const readFileName = (text: string): Read<string> =>
  text.trim() === '' ? bad('expected the name of a file') : { value: text };

/** Reads what may be anything but nothing. */
export const readWord = (text: string): Read<string> =>
  text.trim() === '' ? bad('expected a name') : { value: text };

/** Reads the name of a host; TLS asks for no address. Source: RFC 6066 §3. */
export const readHostName = (text: string): Read<string> =>
  /^[A-Za-z0-9._-]{1,253}$/.test(text) && isIP(text) === 0
    ? { value: text }
    : bad('expected the name of a host, not an address');

/** Reads a node name: it stands in a path, `/n/<node>/v1`. Source: [R2.1-1]. */
export const readNode = (text: string): Read<string> =>
  /^[A-Za-z0-9-]{1,63}$/.test(text)
    ? { value: text }
    : bad('expected 1 to 63 letters, digits and -');

/** Makes a node name of a host name: other characters become `-`. */
export const nodeOfHost = (hostname: string): string =>
  hostname.replaceAll(/[^A-Za-z0-9-]/g, '-').slice(0, 63) || 'node';

/** Reads the start of Kafka topic names. */
export const readPrefix = (text: string): Read<string> =>
  /^[A-Za-z0-9._-]{1,200}$/.test(text)
    ? { value: text }
    : bad('expected 1 to 200 letters, digits, dots, _ and -');

/** Reads a duration such as `30s`, `5m`, `1h` or `7d`; without a unit seconds. Units of the value: ms. */
export function readDuration(text: string): Read<number> {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  const value = parts ? Number(parts[1]) * (DURATION_UNITS[parts[2] ?? 's'] as number) : 0;
  return value > 0 ? { value } : bad('expected a duration, such as 30s, 5m, 1h or 7d');
}

/**
 * True for the hosts that open mode may listen on. Other addresses of 127/8 are loopback too, but
 * [R2.1-19] refuses their `Host`, so that a gateway there would answer 403 to everybody.
 */
export const isOpenHost = (host: string): boolean =>
  host === '127.0.0.1' || host === '::1' || host.toLowerCase() === 'localhost';

/** True for the hosts that nobody from another machine reaches. */
export const isLoopback = (host: string): boolean =>
  isOpenHost(host) || /^127(?:\.\d+){3}$/.test(host);
