// Without its native part, which refuses some valid texts as "Unexpected end of buffer".
import { Decoder } from 'cbor-x/index-no-eval';
import { type Layout, layoutOf, type Sender } from '../../../src/wire/fields.ts';
import { KIND, type Message } from '../../../src/wire/messages.ts';
import { brief, claim, Finding } from './finding.ts';
import { difference, type Reading } from './values.ts';

/**
 * The second oracle, written by others. It is asked about messages that we accept, and so about
 * everything that it might find malformed and we do not: a hostile length costs it gigabytes, and
 * what it accepts beyond the profile (README) says nothing.
 */

// `int64AsNumber` and `copyBuffers` are missing in the types of cbor-x.
const OPTIONS = {
  mapsAsObjects: false,
  useTag259ForMaps: false,
  useRecords: false,
  int64AsNumber: true,
  copyBuffers: true,
  variableMapSize: true,
  tagUint8Array: false,
};
const DECODER = new Decoder(OPTIONS);
const READING: Reading = {
  get: (holder, key) => (holder as ReadonlyMap<unknown, unknown>).get(key),
  isJson: false,
};

/** What we accept, cbor-x must decode to the same values. */
export function claimCborX(bytes: Uint8Array, message: Message, from: Sender): void {
  const seen = seenBy(bytes);
  const layout = layoutOf(KIND[message.k], from) as Layout;
  claim(seen instanceof Map && seen.get(0) === KIND[message.k], 'cbor-x sees another kind');
  const place = difference(message, seen, layout, READING);
  claim(
    place === null,
    () => `cbor-x sees another ${place}: ${brief(seen)}, not ${brief(message)}`,
  );
}

function seenBy(bytes: Uint8Array): unknown {
  try {
    // It leaves a property behind on what it is given.
    return DECODER.decode(bytes.slice());
  } catch (error) {
    throw new Finding(`accepted, but cbor-x finds it malformed: ${String(error)}`);
  }
}
