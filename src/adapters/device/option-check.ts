import { PATH_BYTES_MAX, UNIT_CHARS_MAX } from '../../model/limits.ts';
import { didYouMean } from '../../model/nearest.ts';
import { isPath } from '../../model/pattern.ts';
import type { DeviceOptions, SeriesOptions } from './client-options.ts';

/** A smaller ring has no room for the frames of a burst. Units: bytes. */
const RING_BYTES_LEAST = 4000;
const UNIT = new RegExp(`^[!-~]{0,${UNIT_CHARS_MAX}}$`);

/** What an option may be: a check, and the end of the sentence "… has to be". */
type Rule = readonly [isGood: (value: unknown) => boolean, what: string];

const isText = (value: unknown): value is string => typeof value === 'string';
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
const isFunction = (value: unknown): boolean => typeof value === 'function';
const wordsIn = (...words: string[]): Rule => [
  (value) => isText(value) && words.includes(value),
  words.map((word) => `'${word}'`).join(' or '),
];
const FLAG: Rule = [(value) => typeof value === 'boolean', 'true or false'];
const TEXT: Rule = [isText, 'a text'];

const OPTIONS: Readonly<Record<keyof DeviceOptions, Rule>> = {
  url: [isWebSocketUrl, 'a URL, as wss://HOST/v1'],
  token: [(value) => isText(value) || isFunction(value), 'a text, or a function that gets one'],
  series: [(value) => isObject(value) && !Array.isArray(value), 'an object, by name of series'],
  latencyMs: [(value) => Number.isFinite(value) && Number(value) >= 0, 'a number of ms, 0 or more'],
  ringBytes: [
    (value) => Number.isFinite(value) && Number(value) >= RING_BYTES_LEAST,
    `a number of bytes, ${RING_BYTES_LEAST} or more`,
  ],
  whenFull: wordsIn('drop-oldest', 'block', 'thin'),
  backfill: FLAG,
  codec: wordsIn('cbor', 'json'),
  clock: wordsIn('own', 'server'),
  isUnattended: FLAG,
  trustedHosts: [(value) => Array.isArray(value) && value.every(isText), 'a list of host names'],
  store: [isObject, 'what openRingFile returns'],
  openWebSocket: [isFunction, 'a function that opens a WebSocket'],
  userAgent: TEXT,
};

const SERIES: Readonly<Record<keyof SeriesOptions, Rule>> = {
  unit: [
    (value) => isText(value) && UNIT.test(value),
    `at most ${UNIT_CHARS_MAX} printable ASCII characters without spaces`,
  ],
  scale: [(value) => Number.isFinite(value) && value !== 0, 'a finite number other than 0'],
  offset: [Number.isFinite, 'a finite number'],
  lane: wordsIn('critical', 'live', 'backfill'),
};

/**
 * Throws where options are none: a TypeError, or a RangeError for a number out of its range, that
 * names the option and says what it may be. A typing error must not cost readings later.
 */
export function checkOptions(options: DeviceOptions): void {
  checkAll('', options, OPTIONS);
  for (const name of ['url', 'series'] as const) check(name, options[name], OPTIONS[name]);
  for (const [name, series] of Object.entries(options.series)) {
    if (!isPath(name, PATH_BYTES_MAX)) {
      throw new TypeError(`series '${name}': a name is a path: letters, digits and ._~- by level`);
    }
    check(`series ${name}`, series, [isObject, 'an object, which may be empty: {}']);
    checkAll(`series ${name}: `, series, SERIES);
  }
  if (!options.openWebSocket && typeof WebSocket === 'undefined') {
    throw new TypeError(
      'there is no WebSocket here: the client needs Node 22 or later, a browser, or the option ' +
        'openWebSocket: (url, protocol) => new WebSocket(url, protocol), of the package ws',
    );
  }
}

function checkAll(where: string, given: object, rules: Readonly<Record<string, Rule>>): void {
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule)
      throw new TypeError(`${where}${name}: unknown option${didYouMean(name, Object.keys(rules))}`);
    if (value !== undefined) check(`${where}${name}`, value, rule);
  }
}

function check(name: string, value: unknown, [isGood, what]: Rule): void {
  if (isGood(value)) return;
  const sentence = `${name} has to be ${what}, and is ${shown(value)}`;
  throw typeof value === 'number' ? new RangeError(sentence) : new TypeError(sentence);
}

const shown = (value: unknown): string =>
  isText(value) ? `'${value}'` : isObject(value) ? 'an object' : String(value);

function isWebSocketUrl(value: unknown): boolean {
  return isText(value) && URL.canParse(value) && /^(wss?|https?):$/.test(new URL(value).protocol);
}
