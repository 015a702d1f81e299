import { StartError } from './start-error.ts';

/** What we read of an error of kafkajs; its classes are not exported in full. */
interface KafkaFault {
  readonly name: string;
  readonly message: string;
  /** Name of the protocol's error, like `NOT_ENOUGH_REPLICAS`. */
  readonly type?: string | undefined;
  /** Of the system (`ECONNREFUSED`) or of TLS. */
  readonly code?: string | undefined;
  /** `host:port`, of connections. */
  readonly broker?: string | undefined;
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
  LEADER_NOT_AVAILABLE:
    'a partition has no leader just now, or too few replicas in sync to say where it ends',
  NOT_LEADER_FOR_PARTITION: 'a partition has moved to another leader',
  UNKNOWN_TOPIC_OR_PARTITION: 'a topic or partition is not there',
  INVALID_TIMESTAMP:
    'the broker refuses the receive time: the clocks of this machine and of the broker differ ' +
    'by more than an hour',
  TOPIC_AUTHORIZATION_FAILED:
    'the user may not use this topic: grant Describe, Read and Write on topics that begin with ' +
    'kafka.prefix',
  GROUP_AUTHORIZATION_FAILED:
    'the user may not read in a consumer group: grant Read on groups that begin with kafka.prefix',
  CLUSTER_AUTHORIZATION_FAILED: 'the user has no permission for this on the cluster',
  KAFKA_STORAGE_ERROR: "a broker's disk does not work",
};

/** The same for what kafkajs says by the name of an error alone. */
const NAMED_SENTENCES: Readonly<Record<string, string>> = {
  KafkaJSBrokerNotFound: 'a partition has lost its leader',
  KafkaJSGroupCoordinatorNotFound:
    'the cluster does not serve our consumer group: its internal topics are being made, or the ' +
    'user may not Read groups that begin with kafka.prefix',
};

/** The same for what the system says of a connection; the broker's address follows. */
const CONNECTION_SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at',
  ECONNRESET: 'the connection was broken by',
  EPIPE: 'the connection was broken by',
  ENOTFOUND: 'this host name is not known here:',
  EAI_AGAIN: 'no name server says where this host is:',
  EHOSTUNREACH: 'no way leads from here to',
  ENETUNREACH: 'no way leads from here to',
};

/** How kafkajs and `KafkaConnection` say that the broker is mute, and that it ended a connection. */
const MUTE = /timeout|answer/i;
const CLOSED = /closed/i;

const TOO_LARGE: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

const UNAUTHORIZED: ReadonlySet<string> = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
]);

const REFUSED_LOGIN: ReadonlySet<string> = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
]);

/**
 * How a login ends that nobody has refused. kafkajs calls every end of a login a failed
 * authentication, and a broker that is being stopped ends some this way.
 */
const BROKEN_OFF = /: (?:Closed connection|Connection |Not connected|Request .* timed out)/;

/** Codes of Node and OpenSSL for a certificate or a port that is not what was configured. */
const TLS_CODE = /CERT|SELF_SIGNED|UNABLE_TO|SSL|^EPROTO$/;

/** What to do about a code of TLS; the first that fits. */
const TLS_ADVICE: readonly (readonly [RegExp, string])[] = [
  [/ALTNAME/, 'kafka.ssl.servername says which name the certificate has to bear'],
  [/SELF_SIGNED|UNABLE_TO/, 'kafka.ssl.caFile names the authority that has signed the certificate'],
  [/ALERT/, 'the broker refuses us: kafka.ssl.certFile and keyFile have to be what it trusts'],
  [/WRONG_VERSION|EPROTO/, 'that port seems to speak something else than TLS'],
];
/** What a port that expects TLS or a login does with somebody who does not begin with it. */
const SILENT_END = /^Closed connection$|before secure TLS connection/;

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
  return known === undefined ? otherSentence(fault) : `${known} (${fault.type})`;
}

function otherSentence({ name, code, broker, message }: KafkaFault): string {
  const named = NAMED_SENTENCES[name];
  if (named !== undefined) return named;
  if (broker === undefined) return message;
  const known = code === undefined ? undefined : CONNECTION_SENTENCES[code];
  if (known !== undefined) return `${known} ${broker} (${code})`;
  if (!name.startsWith('KafkaJSConnection')) return message;
  if (MUTE.test(message)) return `${broker} does not answer`;
  return CLOSED.test(message) ? `${broker} closed the connection` : `${message} (${broker})`;
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
  if (fault.type === 'ILLEGAL_SASL_STATE') {
    return refuse(`Kafka at ${at} asks for no login: use another port, or leave kafka.sasl out`);
  }
  if (isRefusedLogin(fault)) {
    return refuse(`Kafka at ${at} refuses the credentials (kafka.sasl): ${fault.message}`);
  }
  if (fault.code !== undefined && TLS_CODE.test(fault.code)) {
    return refuse(`no TLS connection with Kafka at ${at} (kafka.ssl): ${tlsSentence(fault)}`);
  }
  if (isUnauthorized(error)) return refuse(`Kafka at ${at}: ${sentenceOf(error)}`);
  return null;
}

/** The broker itself has said no: not merely a connection that ended during the login. */
function isRefusedLogin({ name, type, message }: KafkaFault): boolean {
  if (type !== undefined) return REFUSED_LOGIN.has(type);
  return name === 'KafkaJSSASLAuthenticationError' && !BROKEN_OFF.test(message);
}

/** OpenSSL's own texts tell nothing: its code does. Node's end with advice about Node. */
function tlsSentence({ code = '', message }: KafkaFault): string {
  const [said = ''] = message.replace(/^Connection error: /, '').split(/[;\n]/);
  const what = said.includes(':error:') ? code : `${said} (${code})`;
  const advice = TLS_ADVICE.find(([pattern]) => pattern.test(code))?.[1];
  return advice === undefined ? what : `${what}; ${advice}`;
}

/** Why a cluster cannot be used yet, with what else may be behind it. */
export function reasonOf(error: unknown): string {
  const sentence = sentenceOf(error);
  if (!SILENT_END.test(innermost(error).message)) return sentence;
  return `${sentence}; perhaps that port wants TLS or a login, or neither: kafka.ssl, kafka.sasl`;
}

/** `step`, or a `DeadlineError` if it takes longer. Units: ms. */
export function within<T>(ms: number, what: string, step: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`${what} took more than ${ms} ms`)), ms);
  });
  return Promise.race([step, late]).finally(() => clearTimeout(timer));
}
