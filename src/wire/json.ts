import { type Breach, breach } from '../model/errors.ts';
import { NESTING_MAX } from './cbor-cursor.ts';
import { CborWriter } from './cbor-writer.ts';
import { writeJsonColumn } from './columns.ts';
import { type Bag, FieldEncoder, isBag } from './encode-fields.ts';
import { layoutOf, type Sender } from './fields.ts';
import { KIND } from './messages.ts';

/**
 * A JSON message in CBOR, or what is wrong with it. `c` and `n` are those of a `data` message whose
 * head can be read: `away` must name them. Source: [R10.1-6].
 */
export type Transcoded =
  | { readonly bytes: Uint8Array }
  | { readonly breach: Breach; readonly c?: number; readonly n?: number };

const NOT_JSON = breach(4000, 'text that is not JSON');
const NOT_AN_OBJECT = breach(4000, 'a message is an object with the name of its kind in k');
const TOO_DEEP = breach(4000, 'nested deeper than 6');
const WRONG_TYPE = breach(4000, 'a name has another type than the protocol gives it');
const UNKNOWN_KIND = breach(4005, 'unknown kind of message');
const MUST_UNDERSTAND = breach(4005, 'a must-understand name that is not known');
const WRONG_DIRECTION = breach(4001, 'this kind is not sent in this direction');

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const OUT = new CborWriter();
const FIELDS = new FieldEncoder(OUT, { writeColumn: writeJsonColumn, hasNonFinite: false });
const KINDS: ReadonlyMap<string, number> = new Map(Object.entries(KIND));

/**
 * Parses a JSON message, once, and writes the same message in CBOR: canonical key order, names that
 * App. A does not list left out, columns as the log keeps them. What JSON cannot tell from a good
 * value (ranges, required keys) is for the CBOR path to judge.
 *
 * Guarantee: never throws. Rejects: 4000, 4005, 4001 (`k` of the other direction).
 * Source: PROTOCOL §3.2, App. D kind 0.
 */
export function jsonToCbor(text: Uint8Array, from: Sender): Transcoded {
  const message = parse(text);
  if (message === undefined) return { breach: NOT_JSON };
  if (!isBag(message) || typeof message['k'] !== 'string') return { breach: NOT_AN_OBJECT };
  const fault = transcode(text, message, from);
  return fault === null ? { bytes: OUT.take() } : { breach: fault, ...headOf(message) };
}

/** Undefined if it is not JSON; JSON itself has no undefined. */
function parse(text: Uint8Array): unknown {
  try {
    return JSON.parse(UTF8.decode(text));
  } catch {
    // Both calls throw for nothing but bad input: the caller turns this into 4000.
    return undefined;
  }
}

function transcode(text: Uint8Array, message: Bag, from: Sender): Breach | null {
  const k = KINDS.get(message['k'] as string);
  if (k === undefined) return UNKNOWN_KIND;
  // The kind comes first: in the wrong direction nothing else of a message matters. [R4.1-2]
  const layout = layoutOf(k, from);
  if (layout === undefined) return WRONG_DIRECTION;
  if (isTooDeep(text)) return TOO_DEEP;
  if (hasMustUnderstand(message, k)) return MUST_UNDERSTAND;
  OUT.at = 0;
  return FIELDS.message(layout, k, message) ? null : WRONG_TYPE;
}

/**
 * True if the text, which is JSON, nests deeper than 6. The text is asked and not the parsed value:
 * of equal names only the last is in the value.
 */
function isTooDeep(text: Uint8Array): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] as number;
    if (byte === QUOTE) at = endOfString(text, at);
    else if ((byte | 0x20) === OPENING) {
      depth += 1;
      if (depth > NESTING_MAX) return true;
    } else if ((byte | 0x20) === CLOSING) depth -= 1;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `{`, and `[` with bit 5 set; likewise `}` and `]`. No other byte of JSON becomes one. */
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** Where the string that starts at `from` has its closing quote. */
function endOfString(text: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Names that start with `!` at the top level or in a block. Source: [R3.3-2]. */
function hasMustUnderstand(message: Bag, k: number): boolean {
  if (hasMark(message)) return true;
  const blocks = message['b'];
  return k === KIND.data && Array.isArray(blocks) && blocks.some(hasMark);
}

function hasMark(value: unknown): boolean {
  if (!isBag(value)) return false;
  for (const name in value) if (name.startsWith('!')) return true;
  return false;
}

function headOf(message: Bag): { c?: number; n?: number } {
  const { k, c, n } = message;
  const isReadable = k === 'data' && isUint(c) && isUint(n) && n >= 1;
  return isReadable ? { c, n } : {};
}

const isUint = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
