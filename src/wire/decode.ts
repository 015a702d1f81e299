import { type Breach, breach } from '../model/errors.ts';
import { CborCursor, ITEM } from './cbor-cursor.ts';
import { FieldDecoder } from './decode-fields.ts';
import { KIND_NAMES, type Layout, layoutOf, type Sender } from './fields.ts';
import type { Message } from './messages.ts';

/** A message, or what its sender did wrong. */
export type Decoded = { readonly message: Message } | { readonly breach: Breach };

const NOT_A_MAP = breach(4000, 'a message is a map that begins with k');
const UNKNOWN_KIND = breach(4005, 'unknown kind of message');
const WRONG_DIRECTION = breach(4001, 'this kind is not sent in this direction');

const CURSOR = new CborCursor();
const FIELDS = new FieldDecoder(CURSOR);

/**
 * Decodes a message of either direction into values that share nothing with `bytes`.
 *
 * Guarantee: never throws; time and memory are O(length).
 * Rejects: 4000, 4005 (unknown `k`, must-understand key), 4001 (`k` of the other direction).
 * Source: PROTOCOL §3, App. A.
 */
export function decodeCbor(bytes: Uint8Array, from: Sender): Decoded {
  CURSOR.open(bytes);
  const message = decodeMap(from);
  if (message === null || !CURSOR.atEnd()) return { breach: CURSOR.fault ?? NOT_A_MAP };
  return { message: message as unknown as Message };
}

function decodeMap(from: Sender): Record<string, unknown> | null {
  const kind = CURSOR.item();
  const pairs = CURSOR.value;
  if (kind !== ITEM.map || pairs < 1 || !CURSOR.openMap(1)) return refuse(NOT_A_MAP);
  if (CURSOR.key(1) !== ITEM.uint || CURSOR.value !== 0) return refuse(NOT_A_MAP);
  if (CURSOR.item() !== ITEM.uint) return refuse(NOT_A_MAP);
  const k = CURSOR.value;
  const name = KIND_NAMES[k];
  if (name === undefined) return refuse(UNKNOWN_KIND);
  const layout: Layout | undefined = layoutOf(k, from);
  if (layout === undefined) return refuse(WRONG_DIRECTION);
  return FIELDS.message({ k: name }, layout, pairs - 1, from);
}

function refuse(fault: Breach): null {
  CURSOR.fail(fault);
  return null;
}
