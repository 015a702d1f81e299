import { invariant } from '../model/invariant.ts';
import type { Codec } from '../model/machine.ts';
import { CborWriter } from './cbor-writer.ts';
import { writeColumn } from './columns.ts';
import { FieldEncoder } from './encode-fields.ts';
import { DEVICE_BLOCK, type Layout, layoutOf } from './fields.ts';
import { blocksText, messageText } from './json-text.ts';
import { type DeviceBlock, KIND, type Message } from './messages.ts';

/** What stands before and behind the blocks of a `data` message. */
export interface DataHead {
  readonly c: number;
  readonly n: number;
  /** 0 is left out. */
  readonly lost: number;
  readonly bl?: number | undefined;
  readonly wm?: number | undefined;
}

const OUT = new CborWriter();
const FIELDS = new FieldEncoder(OUT, { writeColumn, hasNonFinite: true });
const UTF8 = new TextEncoder();

/**
 * Encodes a message; JSON as UTF-8 bytes. Keys come in canonical order: `k`, `c`, `n`, `lost`, then
 * by number.
 *
 * Guarantee: decodes to an equal message, up to the rounding that PROTOCOL §3.2 allows JSON.
 */
export function encode(codec: Codec, message: Message): Uint8Array {
  const layout = layoutOfMessage(message);
  if (codec === 'json') return UTF8.encode(messageText(layout, message));
  OUT.at = 0;
  const isWritten = FIELDS.message(layout, KIND[message.k], message);
  invariant(isWritten, 'a message of ours breaks the types of App. A');
  return OUT.take();
}

/** Encodes the value of `b`, to be sent with `encodeData`, as often as it takes. */
export function encodeBlocks(codec: Codec, blocks: readonly DeviceBlock[]): Uint8Array {
  if (codec === 'json') return UTF8.encode(blocksText(DEVICE_BLOCK, blocks));
  OUT.at = 0;
  const isWritten = FIELDS.blocks(DEVICE_BLOCK, blocks);
  invariant(isWritten, 'a block of ours breaks the types of App. A');
  return OUT.take();
}

/** A `data` message with its head in front of encoded blocks: `lost` may have grown since. */
export function encodeData(codec: Codec, head: DataHead, blocks: Uint8Array): Uint8Array {
  return codec === 'json' ? jsonData(head, blocks) : cborData(head, blocks);
}

function cborData(head: DataHead, blocks: Uint8Array): Uint8Array {
  OUT.at = 0;
  const { lost, bl, wm } = head;
  OUT.head(5, 4 + (lost > 0 ? 1 : 0) + (bl === undefined ? 0 : 1) + (wm === undefined ? 0 : 1));
  pair(0, KIND.data);
  pair(1, head.c);
  pair(2, head.n);
  if (lost > 0) pair(4, lost);
  OUT.int(3);
  OUT.raw(blocks);
  if (bl !== undefined) pair(6, bl);
  if (wm !== undefined) pair(7, wm);
  return OUT.take();
}

function pair(key: number, value: number): void {
  OUT.int(key);
  OUT.int(value);
}

function jsonData(head: DataHead, blocks: Uint8Array): Uint8Array {
  const lost = head.lost > 0 ? `,"lost":${head.lost}` : '';
  const bl = head.bl === undefined ? '' : `,"bl":${head.bl}`;
  const wm = head.wm === undefined ? '' : `,"wm":${head.wm}`;
  OUT.at = 0;
  OUT.raw(UTF8.encode(`{"k":"data","c":${head.c},"n":${head.n}${lost},"b":`));
  OUT.raw(blocks);
  OUT.raw(UTF8.encode(`${bl}${wm}}`));
  return OUT.take();
}

/** `def` and `data` have a form per direction, told by what they hold. */
function layoutOfMessage(message: Message): Layout {
  const layout = layoutOf(KIND[message.k], isFromClient(message) ? 'client' : 'server');
  invariant(layout !== undefined, 'every message has a layout');
  return layout;
}

function isFromClient(message: Message): boolean {
  switch (message.k) {
    case 'def':
      return message.cols !== undefined;
    case 'data':
      return message.b.some((block) => 's' in block);
    case 'welcome':
    case 'reject':
    case 'away':
    case 'state':
      return false;
    default:
      return true;
  }
}
