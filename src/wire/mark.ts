import type { ClassId } from '../model/reading.ts';
import { CborCursor, ITEM } from './cbor-cursor.ts';
import { CborWriter } from './cbor-writer.ts';
import { textOf } from './utf8.ts';

/** A watermark that something else than a reading moves. */
export interface MarkEntry {
  readonly device: string;
  readonly class: ClassId;
  /** Units: µs. */
  readonly watermark: number;
}

const CLASS_MAX = 2;
const OUT = new CborWriter();
const CURSOR = new CborCursor();

/** The value of a mark record: CBOR `[+ [device path, class, watermark]]`. Source: App. D. */
export function encodeMark(entries: readonly MarkEntry[]): Uint8Array {
  OUT.at = 0;
  OUT.head(4, entries.length);
  for (const entry of entries) {
    OUT.head(4, 3);
    OUT.text(entry.device);
    OUT.int(entry.class);
    OUT.int(entry.watermark);
  }
  return OUT.take();
}

/** The entries of a mark record, null if it is malformed. */
export function decodeMark(value: Uint8Array): readonly MarkEntry[] | null {
  CURSOR.open(value);
  if (CURSOR.item() !== ITEM.array || CURSOR.value < 1) return null;
  const entries: MarkEntry[] = [];
  for (let left = CURSOR.value; left > 0; left -= 1) {
    const entry = readEntry();
    if (entry === null) return null;
    entries.push(entry);
  }
  return CURSOR.atEnd() ? entries : null;
}

function readEntry(): MarkEntry | null {
  if (CURSOR.item() !== ITEM.array || CURSOR.value !== 3) return null;
  if (CURSOR.item() !== ITEM.text) return null;
  const from = CURSOR.at;
  if (!CURSOR.passText()) return null;
  const device = textOf(CURSOR.bytes, from, CURSOR.at);
  if (CURSOR.item() !== ITEM.uint || CURSOR.value > CLASS_MAX) return null;
  const classId = CURSOR.value as ClassId;
  const kind = CURSOR.item();
  if (kind !== ITEM.uint && kind !== ITEM.negative) return null;
  return { device, class: classId, watermark: CURSOR.value };
}
