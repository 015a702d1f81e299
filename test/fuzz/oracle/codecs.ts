import { decodeCbor } from '../../../src/wire/decode.ts';
import { encode } from '../../../src/wire/encode.ts';
import { type FieldType, type Layout, layoutOf, type Sender } from '../../../src/wire/fields.ts';
import { jsonToCbor } from '../../../src/wire/json.ts';
import { KIND, type Message } from '../../../src/wire/messages.ts';
import { asJsonTells, plain } from '../../support/normal-form.ts';
import { brief, claim } from './finding.ts';
import { same } from './same.ts';

/** A message through JSON is the message, up to the rounding of PROTOCOL §3.2. */
export function claimJson(message: Message, from: Sender): void {
  const text = encode('json', message);
  const transcoded = jsonToCbor(text, from);
  if ('breach' in transcoded) {
    claim(false, `from ${from}: our JSON is refused: ${transcoded.breach.message}`);
  }
  const decoded = decodeCbor(transcoded.bytes, from);
  claim('message' in decoded, () => `from ${from}: what JSON became is refused: ${brief(decoded)}`);
  const [seen, expected] = [plain(decoded.message), plain(asJsonTells(message))];
  claim(same(seen, expected), () => `through JSON it is ${brief(seen)}, not ${brief(expected)}`);
}

/**
 * True if both codecs can say it. An element of a 64-bit typed array among `uints` may be beyond
 * 2^53−1, and a single number may be NaN or infinite: then only CBOR can.
 */
export function isExact(message: Message, from: Sender): boolean {
  return areExact(message, layoutOf(KIND[message.k], from) as Layout);
}

function areExact(bag: object, { fields }: Layout): boolean {
  return fields.every(({ name, type }) =>
    isExactValue(type, (bag as Record<string, unknown>)[name]),
  );
}

function isExactValue(type: FieldType, value: unknown): boolean {
  if (value === undefined) return true;
  switch (type.kind) {
    case 'scalar':
      return type.of !== 'number' || Number.isFinite(value);
    case 'tuples':
      return !type.elements.includes('number') || (value as unknown[][]).every(areFinite);
    case 'uints':
    case 'uintOrUints':
      return !Array.isArray(value) || value.every(Number.isSafeInteger);
    case 'blocks':
      return (value as object[]).every((block) => areExact(block, type.layout));
    default:
      return true;
  }
}

const areFinite = (tuple: readonly unknown[]): boolean =>
  tuple.every((element) => typeof element !== 'number' || Number.isFinite(element));
