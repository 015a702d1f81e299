import type { KafkaSasl, KafkaTls } from '../adapters/log/kafka-connection.ts';
import type { Config } from './config.ts';
import type { Fault } from './faults.ts';
import { checkPassword, readCertificate, readKey } from './kafka-files.ts';
import { KAFKA_SETTINGS } from './kafka-settings.ts';
import { type ReadFile, readNamed } from './named-file.ts';
import type { AllTaken, Taken } from './taken.ts';
import type { Read } from './values.ts';

/** How a cluster is reached, for everything that speaks to it. */
export interface KafkaAccess {
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly sasl?: KafkaSasl;
  readonly ssl?: KafkaTls;
}

type Name = keyof typeof KAFKA_SETTINGS;
type Files = 'kafkaSaslPasswordFile' | 'kafkaSslCaFile' | 'kafkaSslCertFile' | 'kafkaSslKeyFile';

const LOGIN = ['kafkaSaslMechanism', 'kafkaSaslUsername', 'kafkaSaslPasswordFile'] as const;
const TLS = [
  'kafkaSslCaFile',
  'kafkaSslCertFile',
  'kafkaSslKeyFile',
  'kafkaSslServername',
] as const;

/** What a configuration says about the cluster. */
export function kafkaAccess(config: Config): KafkaAccess {
  const { kafkaBrokers: brokers, kafkaPrefix: prefix } = config;
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: username } = config;
  const { kafkaSaslPasswordFile: passwordFile } = config;
  const hasLogin = mechanism !== null && username !== null && passwordFile !== null;
  return {
    brokers,
    prefix,
    ...(hasLogin && { sasl: { mechanism, username, passwordFile } }),
    ...(config.kafkaSsl && { ssl: tlsOf(config) }),
  };
}

function tlsOf(config: Config): KafkaTls {
  const { kafkaSslCaFile: caFile, kafkaSslCertFile: certFile } = config;
  const { kafkaSslKeyFile: keyFile, kafkaSslServername: servername } = config;
  return {
    ...(caFile !== null && { caFile }),
    ...(certFile !== null && { certFile }),
    ...(keyFile !== null && { keyFile }),
    ...(servername !== null && { servername }),
  };
}

/** TLS is on where somebody says so, or says anything about it: an empty section as well. */
export function chooseSsl(
  given: Taken<boolean>,
  about: readonly Taken<unknown>[],
  section: string | undefined,
): Taken<boolean> {
  const reason = about.find(({ where }) => where !== '')?.origin;
  if (given.where !== '' || (reason ?? section) === undefined) return given;
  return { value: true, origin: `default, because of ${reason ?? `file ${section}`}`, where: '' };
}

/** What is wrong with the settings of Kafka together. Each rule names the value that has to change. */
export function kafkaFaults(
  taken: AllTaken,
  sections: ReadonlyMap<string, string>,
  readFile: ReadFile,
): Fault[] {
  const faults = [...loginFaults(taken, sections.get('kafka.sasl')), ...tlsFaults(taken)];
  // Who reads a file log need not have the files of a cluster.
  if (taken.log.value === 'kafka') faults.push(...fileFaults(taken, readFile));
  return faults;
}

function loginFaults(taken: AllTaken, section: string | undefined): Fault[] {
  const given = LOGIN.filter((name) => isGiven(taken, name));
  const where = section ?? (given[0] && taken[given[0]].where);
  if (where === undefined || given.length === LOGIN.length) return [];
  const lacking = LOGIN.filter((name) => !given.includes(name)).map(placeOf);
  return [{ where, message: `a login at Kafka needs ${lacking.join(' and ')} as well` }];
}

function tlsFaults(taken: AllTaken): Fault[] {
  const faults: Fault[] = [];
  const { kafkaSsl, kafkaSslCertFile: cert, kafkaSslKeyFile: key } = taken;
  const needs = (one: Taken<unknown>, other: Name, why: string): number =>
    faults.push({ where: one.where, message: `needs ${placeOf(other)} as well, ${why}` });
  if (isGiven(taken, 'kafkaSslCertFile') && key.where === '') {
    needs(cert, 'kafkaSslKeyFile', 'the key of the certificate');
  }
  if (isGiven(taken, 'kafkaSslKeyFile') && cert.where === '') {
    needs(key, 'kafkaSslCertFile', 'the certificate of the key');
  }
  const about = TLS.find((name) => isGiven(taken, name));
  if (about !== undefined && !kafkaSsl.value) {
    const message = `says no TLS, but ${KAFKA_SETTINGS[about].path} is set: leave one of them out`;
    faults.push({ where: kafkaSsl.where, message });
  }
  return faults;
}

function fileFaults(taken: AllTaken, readFile: ReadFile): Fault[] {
  const faults: Fault[] = [];
  const check = <T>(name: Files, read: (file: Uint8Array) => Read<T>): T | null => {
    const { value: path, where } = taken[name];
    if (path === null) return null;
    const file = readNamed(path, readFile);
    const found = 'problem' in file ? file : read(file.value);
    if ('value' in found) return found.value;
    faults.push({ where, message: found.problem });
    return null;
  };
  check('kafkaSaslPasswordFile', checkPassword);
  check('kafkaSslCaFile', readCertificate);
  const certificate = check('kafkaSslCertFile', readCertificate);
  const key = check('kafkaSslKeyFile', readKey);
  if (certificate && key && !certificate.checkPrivateKey(key)) {
    const message = `is not the key of the certificate in ${KAFKA_SETTINGS.kafkaSslCertFile.path}`;
    faults.push({ where: taken.kafkaSslKeyFile.where, message });
  }
  return faults;
}

const isGiven = (taken: AllTaken, name: Name): boolean => taken[name].where !== '';

/** A setting as somebody would have to write it. */
function placeOf(name: Name): string {
  const { path, env } = KAFKA_SETTINGS[name];
  return env[0] === undefined ? `${path}` : `${path} (${env[0]})`;
}
