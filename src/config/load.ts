import { sessionsOf } from '../ingest/credit/memory.ts';
import { didYouMean } from '../model/nearest.ts';
import type { Config } from './config.ts';
import { ConfigFaults, type Fault } from './faults.ts';
import { type ConfigFile, EMPTY_FILE, parseConfigFile } from './file.ts';
import { chooseSsl, kafkaFaults } from './kafka-access.ts';
import type { ReadFile } from './named-file.ts';
import type { Setting } from './setting.ts';
import { SETTINGS } from './settings.ts';
import type { AllTaken, Taken } from './taken.ts';
import { isLoopback, isOpenHost, type LogMode, nodeOfHost } from './values.ts';

/** Of the budget, what the own parts of sessions may take at most: the rest is a pool. */
const RESERVED_MOST = 0.95;
/** Read when it is there and no `--config` names another. */
const DEFAULT_FILE = 'tidegate.yaml';
/** Variables with this prefix are ours: one that we do not know is a typing error. */
const OUR_PREFIX = 'TIDEGATE_';
/** Ours too, but no setting: README's devices find the gateway by it. */
const NO_SETTINGS: readonly string[] = ['TIDEGATE_URL'];
/** A bad value is quoted up to here. Units: characters. */
const QUOTED_CHARS_MAX = 60;

/** Everything that a configuration is made of; nothing else is looked at. */
export interface ConfigInput {
  /** Flags as given, without `--`. `config` names the file. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  /** May throw: that is a fault. */
  readonly readFile: ReadFile;
  /** Faults found before, on the command line, to be reported together with ours. */
  readonly faults?: readonly Fault[];
}

interface Given {
  readonly text: string;
  readonly from: 'flag' | 'environment' | 'file';
  /** As a fault names it. */
  readonly where: string;
}

interface Sources {
  readonly input: ConfigInput;
  readonly file: ConfigFile;
  readonly faults: Fault[];
}

/**
 * The effective configuration: flag over environment over file over default. A bad value is a
 * fault even where something of higher precedence hides it.
 * Rejects: throws `ConfigFaults` with every fault there is.
 */
export function loadConfig(input: ConfigInput): Config {
  const faults = [...(input.faults ?? [])];
  const sources = { input, file: readConfigFile(input, faults), faults };
  checkEnvironment(input.env, faults);
  const config = assemble(sources);
  if (faults.length > 0) throw new ConfigFaults(faults);
  return config;
}

function assemble(sources: Sources): Config {
  const givenLog = take(sources, SETTINGS.log);
  const kafkaBrokers = takeBrokers(sources, givenLog);
  const { sections } = sources.file;
  const tls = takeTls(sources);
  const nodeDefault = { ...SETTINGS.node, fallback: nodeOfHost(sources.input.hostname) };
  const taken = {
    listen: take(sources, SETTINGS.listen),
    data: take(sources, SETTINGS.data),
    log: chooseLog(givenLog, kafkaBrokers),
    kafkaBrokers,
    kafkaPrefix: take(sources, SETTINGS.kafkaPrefix),
    kafkaCompression: take(sources, SETTINGS.kafkaCompression),
    kafkaSaslMechanism: take(sources, SETTINGS.kafkaSaslMechanism),
    kafkaSaslUsername: take(sources, SETTINGS.kafkaSaslUsername),
    kafkaSaslPasswordFile: take(sources, SETTINGS.kafkaSaslPasswordFile),
    kafkaSsl: chooseSsl(
      take(sources, SETTINGS.kafkaSsl),
      Object.values(tls),
      sections.get('kafka.ssl'),
    ),
    ...tls,
    shards: take(sources, SETTINGS.shards),
    budgetBytes: take(sources, SETTINGS.budgetBytes),
    sessions: take(sources, SETTINGS.sessions),
    quotaRateBytes: take(sources, SETTINGS.quotaRateBytes),
    quotaBurstBytes: take(sources, SETTINGS.quotaBurstBytes),
    logLevel: take(sources, SETTINGS.logLevel),
    node: take(sources, nodeDefault),
    plaintext: take(sources, SETTINGS.plaintext),
    auth: take(sources, SETTINGS.auth),
  };
  sources.faults.push(...contradictions(taken, sections.get('auth')));
  sources.faults.push(...kafkaFaults(taken, sections, sources.input.readFile));
  return freeze(taken);
}

/** What is said about TLS towards Kafka. */
const takeTls = (sources: Sources) => ({
  kafkaSslCaFile: take(sources, SETTINGS.kafkaSslCaFile),
  kafkaSslCertFile: take(sources, SETTINGS.kafkaSslCertFile),
  kafkaSslKeyFile: take(sources, SETTINGS.kafkaSslKeyFile),
  kafkaSslServername: take(sources, SETTINGS.kafkaSslServername),
});

function freeze(taken: AllTaken): Config {
  const of = <Part>(part: (taken: Taken<unknown>) => Part): Record<string, Part> =>
    Object.fromEntries(Object.entries(taken).map(([name, value]) => [name, part(value)]));
  const origins = Object.freeze(of(({ origin }) => origin));
  const values = of(({ value }) => Object.freeze(value));
  return Object.freeze({ ...values, origins }) as unknown as Config;
}

/** What the values say together. Each rule names the value that has to change. */
function contradictions(
  { log, kafkaBrokers, listen, plaintext, auth, sessions, budgetBytes }: AllTaken,
  section: string | undefined,
): Fault[] {
  const faults: Fault[] = [];
  const fault = (where: string, message: string): number => faults.push({ where, message });
  if (log.value === 'kafka' && kafkaBrokers.value.length === 0) {
    fault(log.where, 'needs to know where Kafka is: --kafka-brokers HOST:PORT,…');
  }
  // Who writes `auth` and leaves it empty does not want everybody to be let in.
  if (section !== undefined && auth.where === '') {
    fault(section, 'names no credentials: set auth.hs256.secretFile, or leave auth out');
  }
  const isOpen = section === undefined;
  const { host } = listen.value;
  if (plaintext.value !== null && isOpen) {
    fault(plaintext.where, 'needs auth: without credentials the gateway listens on loopback only');
  }
  if (isOpen && !isOpenHost(host)) {
    const may = '127.0.0.1, localhost or [::1]';
    fault(listen.where, `without auth everybody may publish and read, so it must be ${may}`);
  }
  if (!isOpen && plaintext.value === null && !isLoopback(host)) {
    const unless = 'unless the file says listen.plaintext: trusted-network';
    fault(listen.where, `without TLS only loopback is served, ${unless}`);
  }
  // Reserves have to leave a pool: without one no window could grow.
  const most = sessionsOf(budgetBytes.value, RESERVED_MOST);
  if ((sessions.value ?? 0) > most) {
    fault(sessions.where, `the budget is enough for ${most}: choose a larger ingest.budget`);
  }
  return faults;
}

function chooseLog(given: Taken<LogMode>, brokers: Taken<readonly string[]>): Taken<LogMode> {
  if (given.where !== '' || brokers.value.length === 0) return given;
  return {
    value: 'kafka',
    origin: `default, because of ${brokers.origin}`,
    where: `${brokers.where}, and no --log`,
  };
}

/** KAFKA_BROKERS is everybody's variable: it is not looked at where the log is not in Kafka. */
function takeBrokers(sources: Sources, log: Taken<LogMode>): Taken<readonly string[]> {
  const isKafka = log.where === '' || log.value === 'kafka';
  const ours = (name: string): boolean => isKafka || name.startsWith(OUR_PREFIX);
  const setting = SETTINGS.kafkaBrokers;
  return take(sources, { ...setting, env: setting.env.filter(ours) });
}

function take<T>(sources: Sources, setting: Setting<T>): Taken<T> {
  let taken: Taken<T> | undefined;
  for (const { text, from, where } of givenTo(setting, sources)) {
    const read = setting.read(text, sources.input.readFile);
    if ('problem' in read) {
      const what = setting.isSecret ? where : `${where} ${quoted(text)}`;
      sources.faults.push({ where: what, message: read.problem });
    }
    const value = 'problem' in read ? setting.fallback : read.value;
    taken ??= { value, origin: `${from} ${where}`, where };
  }
  return taken ?? { value: setting.fallback, origin: 'default', where: '' };
}

const quoted = (text: string): string =>
  JSON.stringify(text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX)}…` : text);

type Places = Pick<Setting<unknown>, 'flag' | 'env' | 'path'>;

/** What was given to a setting, highest precedence first. */
function givenTo({ flag, env, path }: Places, { input, file }: Sources): Given[] {
  const given: Given[] = [];
  const flagText = flag === null ? undefined : input.flags[flag];
  if (flagText !== undefined) given.push({ text: flagText, from: 'flag', where: `--${flag}` });
  const isSet = (name: string): boolean =>
    input.env[name] !== undefined && (name.startsWith(OUR_PREFIX) || input.env[name] !== '');
  const variable = env.find(isSet);
  if (variable !== undefined) {
    given.push({ text: input.env[variable] as string, from: 'environment', where: variable });
  }
  const inFile = path === null ? undefined : file.values.get(path);
  if (inFile !== undefined) given.push({ ...inFile, from: 'file' });
  return given;
}

function readConfigFile(input: ConfigInput, faults: Fault[]): ConfigFile {
  const named = input.flags['config'];
  const name = named ?? DEFAULT_FILE;
  const text = readText(input, name, faults);
  if (text === null && named !== undefined) {
    faults.push({ where: `--config ${quoted(named)}`, message: 'there is no such file' });
  }
  const file = typeof text === 'string' ? parseConfigFile(name, text) : EMPTY_FILE;
  faults.push(...file.faults);
  return file;
}

/** The text of a file, null if there is none, undefined if it cannot be read (a fault). */
function readText(input: ConfigInput, name: string, faults: Fault[]): string | null | undefined {
  try {
    const bytes = input.readFile(name);
    return bytes === null ? null : new TextDecoder().decode(bytes);
  } catch (error) {
    faults.push({ where: name, message: `cannot be read: ${(error as Error).message}` });
    return undefined;
  }
}

function checkEnvironment(env: ConfigInput['env'], faults: Fault[]): void {
  const known = Object.values(SETTINGS).flatMap((setting) => setting.env);
  const ours = known.filter((name) => name.startsWith(OUR_PREFIX));
  for (const name of Object.keys(env)) {
    if (!name.startsWith(OUR_PREFIX) || known.includes(name) || NO_SETTINGS.includes(name))
      continue;
    faults.push({ where: name, message: `unknown variable${didYouMean(name, ours)}` });
  }
}
