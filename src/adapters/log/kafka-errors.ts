import { StartError } from './start-error.ts';

/** What we read of an error of kafkajs; its classes are not exported in full. */
interface KafkaFault {
  readonly name: string;
  readonly message: string;
  /** Name of the protocol's error, like `NOT_ENOUGH_REPLICAS`. */
  readonly type?: string | undefined;
  /** Of the system (`ECONNREFUSED`) or of TLS. */
  readonly code?: string | undefined;
}

/** The answer did not come in time: the request may have been carried out or not. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** What several of the protocol's errors mean for whoever runs the gateway. */
const SENTENCES: Readonly<Record<string, string>> = {
  NOT_ENOUGH_REPLICAS: 'fewer replicas are in sync than min.insync.replicas asks for',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'fewer replicas are in sync than min.insync.replicas asks for',
  REQUEST_TIMED_OUT: 'the replicas did not confirm in time',
  LEADER_NOT_AVAILABLE: 'a partition has no leader just now',
  NOT_LEADER_FOR_PARTITION: 'a partition has moved to another leader',
  UNKNOWN_TOPIC_OR_PARTITION: 'a topic or partition is not there',
  INVALID_TIMESTAMP:
    'the broker refuses the receive time: the clocks of this machine and of the broker differ ' +
    'by more than an hour',
  TOPIC_AUTHORIZATION_FAILED: 'the user may not use this topic',
  GROUP_AUTHORIZATION_FAILED: 'the user may not use this consumer group',
  CLUSTER_AUTHORIZATION_FAILED: 'the user has no permission for this on the cluster',
  KAFKA_STORAGE_ERROR: "a broker's disk does not work",
};

const TOO_LARGE: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

const UNAUTHORIZED: ReadonlySet<string> = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
]);

const REFUSED_LOGIN: ReadonlySet<string> = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
]);

/** Codes of Node and OpenSSL for a certificate or a port that is not what was configured. */
const TLS_CODE = /CERT|SELF_SIGNED|UNABLE_TO|SSL|^EPROTO$/;

const faultOf = (error: unknown): KafkaFault =>
  error instanceof Error ? error : { name: 'Error', message: String(error) };

/** The innermost error that says something: kafkajs wraps what it has retried. */
function innermost(error: unknown): KafkaFault {
  let fault = faultOf(error);
  for (let depth = 0; depth < 5; depth += 1) {
    const { cause } = fault as { readonly cause?: unknown };
    if (!(cause instanceof Error)) return fault;
    fault = faultOf(cause);
  }
  return fault;
}

/** The protocol's name of an error, or null. */
export const typeOf = (error: unknown): string | null => innermost(error).type ?? null;

/** The record can never be written to its topic as that is configured. */
export const isTooLarge = (error: unknown): boolean => TOO_LARGE.has(typeOf(error) ?? '');

/** The user may not do this. */
export const isUnauthorized = (error: unknown): boolean => UNAUTHORIZED.has(typeOf(error) ?? '');

/** What went wrong, in a sentence without a full stop. */
export function sentenceOf(error: unknown): string {
  const fault = innermost(error);
  const known = fault.type === undefined ? undefined : SENTENCES[fault.type];
  return known === undefined ? fault.message : `${known} (${fault.type})`;
}

/**
 * The refusal to start for what will not get better by itself: credentials, certificates and
 * permissions. Null for everything that is worth another try.
 */
export function startErrorOf(error: unknown, brokers: readonly string[]): StartError | null {
  if (error instanceof StartError) return error;
  const fault = innermost(error);
  const at = brokers.join(', ');
  const refuse = (sentence: string): StartError => new StartError(78, sentence, { cause: error });
  if (fault.name === 'KafkaJSSASLAuthenticationError' || REFUSED_LOGIN.has(fault.type ?? '')) {
    return refuse(`Kafka at ${at} refuses the credentials (kafka.sasl): ${fault.message}`);
  }
  if (fault.code !== undefined && TLS_CODE.test(fault.code)) {
    return refuse(`no TLS connection with Kafka at ${at} (kafka.ssl): ${fault.message}`);
  }
  if (isUnauthorized(error)) return refuse(`Kafka at ${at}: ${sentenceOf(error)}`);
  return null;
}

/** `step`, or a `DeadlineError` if it takes longer. Units: ms. */
export function within<T>(ms: number, what: string, step: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`${what} took more than ${ms} ms`)), ms);
  });
  return Promise.race([step, late]).finally(() => clearTimeout(timer));
}
