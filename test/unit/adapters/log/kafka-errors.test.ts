import { describe, expect, it } from 'vitest';
import { reasonOf, sentenceOf, startErrorOf } from '../../../../src/adapters/log/kafka-errors.ts';

/** An error as kafkajs makes it; its classes are not exported in full. */
const errorOf = (name: string, message: string, more: object = {}): Error =>
  Object.assign(new Error(message), { name }, more);
const wrapped = (cause: Error): Error =>
  Object.assign(new Error(cause.message, { cause }), { name: 'KafkaJSNumberOfRetriesExceeded' });
const login = (how: string): Error =>
  errorOf('KafkaJSSASLAuthenticationError', `SASL PLAIN authentication failed: ${how}`);
const tls = (code: string, message = 'no'): Error =>
  errorOf('KafkaJSConnectionError', `Connection error: ${message}`, { code });
const protocol = (type: string): Error => errorOf('KafkaJSProtocolError', type, { type, code: 1 });

describe('a start is refused for', () => {
  it.each<[string, Error, RegExp]>([
    ['a password', login('Authentication failed: Invalid username or password'), /kafka\.sasl/],
    ['a login without a reason', login('SASL Authentication failed'), /kafka\.sasl/],
    ['a mechanism', protocol('UNSUPPORTED_SASL_MECHANISM'), /kafka\.sasl/],
    ['a login that nobody asks for', protocol('ILLEGAL_SASL_STATE'), /leave kafka\.sasl out/],
    ['an authority', tls('DEPTH_ZERO_SELF_SIGNED_CERT'), /kafka\.ssl\.caFile/],
    ['an authority', tls('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), /kafka\.ssl\.caFile/],
    ['a name', tls('ERR_TLS_CERT_ALTNAME_INVALID'), /kafka\.ssl\.servername/],
    ['our certificate', tls('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), /certFile and keyFile/],
    ['a port without TLS', tls('EPROTO'), /something else than TLS/],
    ['an old certificate', tls('CERT_HAS_EXPIRED', 'certificate has expired'), /has expired/],
    ['a permission', protocol('TOPIC_AUTHORIZATION_FAILED'), /may not use this topic/],
  ])('%s: 78, and what to do', (_, error, says) => {
    for (const one of [error, wrapped(error)]) {
      expect(startErrorOf(one, ['a:1'])).toMatchObject({
        exitCode: 78,
        message: expect.stringMatching(says),
      });
    }
  });

  it('what OpenSSL says in its own words: by its code alone, in one line', () => {
    const message = '40AD:error:0A000412:SSL routines:x:../deps/rec.c:918:SSL alert number 42\n';
    const refusal = startErrorOf(tls('ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', message), ['a:1']);
    expect(refusal?.message).toMatch(/^no TLS connection .*: ERR_SSL_SSL\/TLS_ALERT_[A-Z_]+; the/);
    expect(refusal?.message).not.toContain('\n');
  });
});

describe('a start is tried again after', () => {
  it.each<[string, Error]>([
    ['a login that the broker broke off', login('Closed connection')],
    ['one that was reset', login('Connection error: read ECONNRESET')],
    ['one whose connection was gone', login('Not connected')],
    ['one that nobody answered', login('Request SaslAuthenticate(key: 36, version: 1) timed out')],
    ['no connection', tls('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1')],
    ['an end before TLS', tls('ECONNRESET', 'Client network socket disconnected before secure')],
    ['a leader that is not there yet', protocol('NOT_LEADER_FOR_PARTITION')],
  ])('%s', (_, error) => {
    expect(startErrorOf(wrapped(error), ['a:1'])).toBeNull();
  });
});

describe('the reason why a cluster cannot be used yet', () => {
  it.each([
    'Closed connection',
    'Connection error: Client network socket disconnected before secure TLS connection was established',
  ])('%s may be a port of another kind', (message) => {
    expect(reasonOf(errorOf('KafkaJSConnectionError', message))).toMatch(/wants TLS or a login/);
  });

  it('is the bare one where it is clear', () => {
    const message = 'Connection error: connect ECONNREFUSED 127.0.0.1:1';
    expect(reasonOf(errorOf('KafkaJSConnectionError', message))).toBe(message);
  });
});

describe('the sentence about a connection', () => {
  const broker = 'kafka-1:9092';
  it.each<[string, object, string]>([
    [
      'Connection error: connect ECONNREFUSED 10.0.0.1:9092',
      { code: 'ECONNREFUSED' },
      'nothing listens at kafka-1:9092 (ECONNREFUSED)',
    ],
    [
      'Connection error: getaddrinfo ENOTFOUND kafka-1',
      { code: 'ENOTFOUND' },
      'this host name is not known here: kafka-1:9092 (ENOTFOUND)',
    ],
    ['Connection timeout', {}, 'kafka-1:9092 does not answer'],
    ['Closed connection', {}, 'kafka-1:9092 closed the connection'],
    ['Connection error: no answer', {}, 'kafka-1:9092 does not answer'],
    ['Connection error: what else', {}, 'Connection error: what else (kafka-1:9092)'],
  ])('%s names the broker', (message, more, sentence) => {
    const error = errorOf('KafkaJSConnectionError', message, { broker, ...more });
    expect(sentenceOf(wrapped(error))).toBe(sentence);
  });
});
