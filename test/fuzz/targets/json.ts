import { type Decoded, decodeCbor } from '../../../src/wire/decode.ts';
import { encode } from '../../../src/wire/encode.ts';
import { type Layout, layoutOf, type Sender } from '../../../src/wire/fields.ts';
import { jsonToCbor, type Transcoded } from '../../../src/wire/json.ts';
import { KIND } from '../../../src/wire/messages.ts';
import type { Dice } from '../../sim/random.ts';
import { referenceDecode } from '../../support/cbor-reference.ts';
import { clockMs } from '../cpu-clock.ts';
import { message } from '../grow/messages.ts';
import { mutateJson } from '../grow/mutate-json.ts';
import { writeTree } from '../grow/tree.ts';
import { claimJson } from '../oracle/codecs.ts';
import { brief, claim } from '../oracle/finding.ts';
import { type JsonVerdict, jsonVerdict } from '../oracle/json-verdict.ts';
import { difference, type Reading } from '../oracle/values.ts';
import type { Attempt, Target } from './target.ts';

const SENDERS: readonly Sender[] = ['client', 'server'];
const READING: Reading = {
  get: (holder, _key, name) => (holder as Record<string, unknown>)[name],
  isJson: true,
};
const EMPTY = new TextEncoder().encode('{"k":"end","c":1}');

interface Outcome {
  readonly transcoded: Transcoded;
  readonly decoded: Decoded;
}

/** A JSON message: what it becomes in CBOR, against `JSON.parse` and §3.2. */
export class JsonTarget implements Target {
  readonly name = 'json';
  readonly share = 210;

  /** What decodes of what is made for CBOR, as JSON. */
  make(dice: Dice): Uint8Array {
    const from = dice.chance(0.75) ? 'client' : 'server';
    const decoded = decodeCbor(writeTree([message(dice, from)]), from);
    return 'message' in decoded ? encode('json', decoded.message) : EMPTY;
  }

  mutate(dice: Dice, bytes: Uint8Array): Uint8Array {
    return mutateJson(dice, bytes);
  }

  attempt(bytes: Uint8Array): Attempt {
    const begun = clockMs();
    const outcomes = SENDERS.map((from) => through(bytes, from));
    const ms = clockMs() - begun;
    for (const [i, outcome] of outcomes.entries())
      claimOutcome(bytes, outcome, SENDERS[i] as Sender);
    return { ms: [ms], sign: outcomes.map(signOf).join(' ') };
  }
}

function through(bytes: Uint8Array, from: Sender): Outcome {
  const transcoded = jsonToCbor(bytes, from);
  return {
    transcoded,
    decoded: 'breach' in transcoded ? transcoded : decodeCbor(transcoded.bytes, from),
  };
}

const signOf = ({ decoded }: Outcome): string =>
  'breach' in decoded ? decoded.breach.message : decoded.message.k;

function claimOutcome(bytes: Uint8Array, { transcoded, decoded }: Outcome, from: Sender): void {
  const verdict = jsonVerdict(bytes, from);
  const { message: parsed, faults } = verdict;
  if ('bytes' in transcoded) {
    claim(referenceDecode(transcoded.bytes, 1) !== null, 'JSON becomes CBOR beyond the profile');
  } else claimName(transcoded, verdict);
  if ('breach' in decoded) {
    const { code, message: sentence } = decoded.breach;
    claim(faults.has(code), () => `from ${from}: ${code} (${sentence}), faults: ${[...faults]}`);
    return;
  }
  claim(faults.size === 0, () => `from ${from}: accepted with faults ${[...faults]}`);
  const layout = layoutOf(KIND[decoded.message.k], from) as Layout;
  const place = difference(decoded.message, parsed, layout, READING);
  claim(place === null, () => `another ${place}: ${brief(decoded.message)} from ${brief(parsed)}`);
  claimJson(decoded.message, from);
}

/** `away` must name the frame whose head can be read. Source: [R10.1-6]. */
function claimName(transcoded: Transcoded, { message }: JsonVerdict): void {
  const { c, n } = transcoded as { readonly c?: number; readonly n?: number };
  const isUint = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  const { k, c: channel, n: number } = message ?? {};
  const isNamed = k === 'data' && isUint(channel) && isUint(number) && (number as number) >= 1;
  const isRight = isNamed ? c === channel && n === number : c === undefined && n === undefined;
  claim(isRight, () => `names c ${c}, n ${n} of ${brief(message)}`);
}
