import type { Dice } from '../../sim/random.ts';
import { mutateBytes } from './mutate-bytes.ts';

/** Changes of JSON text: by tokens, and now and then by bytes. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[-+0-9.eE]+|[a-z]+|[{}[\],:]|\s+|./gsu;
const UTF8 = new TextEncoder();
const LENIENT = new TextDecoder('utf-8', { ignoreBOM: true });

const NUMBERS = [
  '0',
  '-0',
  '1',
  '-1',
  '1.0',
  '1e3',
  '1E+2',
  '1e-7',
  '0.1',
  '255',
  '256',
  '4096',
  '4097',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '-9007199254740991',
  '-9007199254740992',
  '1e308',
  '1e309',
  '-1e400',
  '5e-324',
  '1e-400',
  '7258118400000000',
  '12345678901234567890123456789',
  '01',
  '.5',
  '1.',
  '+1',
  '0x10',
  'NaN',
  'Infinity',
  `1${'0'.repeat(400)}`,
  '3.4028235e38',
  '0.30000001192092896',
] as const;
const STRINGS = [
  '""',
  '"a"',
  '"temp"',
  '"k"',
  '"data"',
  '"hello"',
  '"!x"',
  '"\\u0021x"',
  '"\\ud800"',
  '"\\udc00a"',
  '"\\ud83d\\ude00"',
  '"\\u0000"',
  '"\\ufeff"',
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '"\\x"',
  '"\\u12"',
  '"\\\\"',
  '"\\""',
  '"[[[[[[["',
  '"\\"[[[[[[["',
  '"\\\\"',
  '"1"',
  '"é😀"',
  `"${'x'.repeat(65)}"`,
  `"${'é'.repeat(129)}"`,
  '"\n"',
  '"\u0001"',
] as const;
const LITERALS = ['null', 'true', 'false', 'undefined', '[]', '{}', '[null]', '[[1]]'] as const;
const NAMES = [
  'k',
  'c',
  'n',
  'b',
  'lost',
  's',
  't',
  'dt',
  'd',
  'v',
  'q',
  'fid',
  'f',
  'ch',
  'now',
  'bl',
  'wm',
  'cols',
  'of',
  'p',
  'win',
  'md',
  'st',
  '!x',
  '',
  '__proto__',
  'later',
  'ep',
  'e',
  'm',
  'ser',
] as const;

/** What may stand where a value stands. */
function value(dice: Dice): string {
  const kind = dice.below(4);
  if (kind === 0) return dice.pick(NUMBERS);
  if (kind === 1) return dice.pick(STRINGS);
  if (kind === 2) return dice.pick(LITERALS);
  const depth = 1 + dice.below(dice.chance(0.95) ? 8 : 4000);
  const [open, close] = dice.chance(0.7) ? ['[', ']'] : ['{"a":', '}'];
  return open.repeat(depth) + dice.pick(NUMBERS) + close.repeat(depth);
}

const name = (dice: Dice): string => (dice.chance(0.15) ? '!later' : dice.pick(NAMES));
const pair = (dice: Dice): string => `"${name(dice)}":${value(dice)}`;

/** Changes the list of tokens in place. */
type Edit = (dice: Dice, tokens: string[], at: number) => void;

const isValue = (token: string): boolean => /^["\-0-9a-z]/.test(token);

const EDITS: readonly Edit[] = [
  (dice, tokens, at) => {
    if (isValue(tokens[at] as string)) tokens[at] = value(dice);
  },
  (dice, tokens, at) => {
    if (/^[-0-9]/.test(tokens[at] as string)) tokens[at] = dice.pick(NUMBERS);
  },
  (dice, tokens, at) => {
    if (tokens[at] === '{') tokens[at] = `{${pair(dice)},`;
    else if (tokens[at] === '}') tokens[at] = `,${pair(dice)}}`;
    else if (tokens[at] === '[') tokens[at] = `[${value(dice)},`;
  },
  // The same name twice, or a pair by another name.
  (dice, tokens, at) => {
    if (tokens[at + 1] !== ':') return;
    const kept = tokens[at];
    tokens[at] = dice.chance(0.5) ? `"${name(dice)}"` : `${kept}:${value(dice)},${kept}`;
  },
  (_dice, tokens, at) => void tokens.splice(at, 1),
  (_dice, tokens, at) => void tokens.splice(at, 0, tokens[at] as string),
  (dice, tokens, at) => {
    const other = dice.below(tokens.length);
    [tokens[at], tokens[other]] = [tokens[other] as string, tokens[at] as string];
  },
  (dice, tokens, at) =>
    void tokens.splice(at, 0, dice.pick([' ', '\n', '\t', '\u00a0', ',', '/**/'])),
  (dice, tokens, at) => {
    const until = Math.min(tokens.length, at + 1 + dice.below(12));
    const run = tokens.slice(at, until);
    for (let times = dice.below(dice.chance(0.95) ? 4 : 300); times > 0; times -= 1) {
      tokens.splice(until, 0, ...run);
    }
  },
  (_dice, tokens) => void tokens.unshift('\ufeff'),
];

/** Any token, or the start of an object: there are few of them, and much hangs on them. */
function placeIn(dice: Dice, tokens: readonly string[]): number {
  const at = dice.below(tokens.length);
  return dice.chance(0.3) ? Math.max(0, tokens.indexOf('{', at)) : at;
}

/** A changed text; `\ud800` and the like only as escapes, for UTF-8 has none. */
export function mutateJson(dice: Dice, text: Uint8Array): Uint8Array {
  if (dice.chance(0.1)) return mutateBytes(dice, text);
  const tokens = LENIENT.decode(text).match(TOKEN) ?? [];
  for (let edits = 1 + dice.below(3); edits > 0 && tokens.length > 0; edits -= 1) {
    const edit = dice.chance(0.01) ? EDITS.at(-1) : dice.pick(EDITS.slice(0, -1));
    edit?.(dice, tokens, placeIn(dice, tokens));
  }
  return UTF8.encode(tokens.join(''));
}
