import { breach } from '../model/errors.ts';
import { type CborCursor, ITEM, NESTING_MAX } from './cbor-cursor.ts';
import type { FieldType, Layout, ScalarType, Sender } from './fields.ts';
import type { ColumnValues, Scalar } from './messages.ts';
import { isUintTag, typedArrayOf } from './typed-array.ts';
import { cutText, textOf } from './utf8.ts';

/** A map under construction: names of App. A and their values. */
export type Fields = Record<string, unknown>;

/** Marks a value that was not of its type; the cursor has the breach. */
const BAD = Symbol('bad');
type Bad = typeof BAD;

const MUST_UNDERSTAND = breach(4005, 'a must-understand key that is not known');
const WRONG_ORDER = breach(4000, 'k, c, n, lost come first, in this order');
const WRONG_TYPE = breach(4000, 'a key has another type than the protocol gives it');
const MISSING = breach(4000, 'a required key is missing');
const LOST_TOO_BIG = breach(4000, 'lost is not less than n');

/** Keys that stand first, in this order, where their kind has them. Source: [R3.1-7]. */
const HEAD_RANK: Readonly<Record<string, number>> = { c: 1, n: 2, lost: 3 };
const RANK_OF_OTHERS = 4;
const BLOCK_LEVEL = 3;
const CHANNEL_MAX = 65_535;

/** Decodes the maps of App. A by their layouts. Every method advances the cursor. */
export class FieldDecoder {
  readonly #cursor: CborCursor;

  constructor(cursor: CborCursor) {
    this.#cursor = cursor;
  }

  /** The top-level map after `k`: `pairs` more pairs into `into`. Null after a breach. */
  message(into: Fields, layout: Layout, pairs: number, from: Sender): Fields | null {
    let rank = 0;
    let seen = 0;
    for (let left = pairs; left > 0; left -= 1) {
      const i = this.#key(layout, 1);
      if (i === BAD) return null;
      const place = i < 0 ? undefined : HEAD_RANK[layout.fields[i]?.name as string];
      if (place !== undefined && place <= rank) return this.#refuse(WRONG_ORDER);
      rank = place ?? RANK_OF_OTHERS;
      if (!this.#value(into, layout, i, 2)) return null;
      if (i >= 0) seen |= 1 << i;
    }
    if (!isComplete(layout, seen)) return this.#refuse(MISSING);
    return from === 'client' && lostReachesN(into) ? this.#refuse(LOST_TOO_BIG) : into;
  }

  /** A block; the map's head is still to be read. */
  #block(layout: Layout): Fields | Bad {
    const cursor = this.#cursor;
    if (cursor.item() !== ITEM.map) return this.#wrongType();
    const pairs = cursor.value;
    const into: Fields = {};
    let seen = 0;
    cursor.openMap(BLOCK_LEVEL);
    for (let left = pairs; left > 0; left -= 1) {
      const i = this.#key(layout, BLOCK_LEVEL);
      if (i === BAD || !this.#value(into, layout, i, BLOCK_LEVEL + 1)) return BAD;
      if (i >= 0) seen |= 1 << i;
    }
    if (isComplete(layout, seen)) return into;
    this.#cursor.fail(MISSING);
    return BAD;
  }

  /** Index of the next key in the layout, −1 for one that is to be ignored. */
  #key(layout: Layout, level: number): number | Bad {
    const kind = this.#cursor.key(level);
    if (kind === ITEM.bad) return BAD;
    if (kind === ITEM.text) return -1;
    if (kind === ITEM.uint) return layout.byKey.get(this.#cursor.value) ?? -1;
    this.#cursor.fail(MUST_UNDERSTAND);
    return BAD;
  }

  #value(into: Fields, layout: Layout, i: number, level: number): boolean {
    const field = layout.fields[i];
    if (field === undefined) return this.#cursor.skip(level);
    const value = this.#field(field.type, level);
    if (value === BAD) return this.#cursor.fail(WRONG_TYPE);
    into[field.name] = value;
    return true;
  }

  #field(type: FieldType, level: number): unknown {
    switch (type.kind) {
      case 'scalar':
        return this.#scalar(type.of, this.#cursor.item(), type.cut);
      case 'list':
        return this.#list(1, () => this.#scalar(type.of, this.#cursor.item()));
      case 'tuples':
        return this.#list(type.least, () => this.#tuple(type.elements, type.required, level + 1));
      case 'uints':
        return this.#uints(this.#cursor.item());
      case 'uintOrUints':
        return this.#uintOrUints();
      case 'columns':
        return this.#list(1, () => this.#column());
      case 'blocks':
        return this.#list(1, () => this.#block(type.layout));
    }
  }

  #scalar(type: ScalarType, kind: number, cut?: number): string | number | Bad {
    const { value } = this.#cursor;
    if (type === 'text') return kind === ITEM.text ? this.#text(cut) : BAD;
    if (kind === ITEM.uint) return isInRange(type, value) ? value : BAD;
    if (kind === ITEM.negative) return type === 'int' || type === 'number' ? value : BAD;
    return kind === ITEM.float && type === 'number' ? value : BAD;
  }

  #text(cut?: number): string | Bad {
    const { bytes, at } = this.#cursor;
    if (!this.#cursor.passText()) return BAD;
    const text = textOf(bytes, at, this.#cursor.at);
    return cut === undefined ? text : cutText(text, cut);
  }

  /** The array must have at least `least` elements; `element` reads one. */
  #list<Element>(least: number, element: () => Element | Bad): Element[] | Bad {
    const cursor = this.#cursor;
    if (cursor.item() !== ITEM.array || cursor.value < least) return BAD;
    return this.#elements(cursor.value, element);
  }

  #elements<Element>(count: number, element: () => Element | Bad): Element[] | Bad {
    const elements: Element[] = [];
    for (let left = count; left > 0; left -= 1) {
      const value = element();
      if (value === BAD) return BAD;
      elements.push(value as Element);
    }
    return elements;
  }

  /** A positional list: what stands beyond `elements` is passed and ignored. Source: [R3.3-5]. */
  #tuple(elements: readonly ScalarType[], required: number, level: number): unknown[] | Bad {
    const cursor = this.#cursor;
    if (cursor.item() !== ITEM.array || cursor.value < required) return BAD;
    const count = cursor.value;
    const tuple: unknown[] = [];
    for (let i = 0; i < count; i += 1) {
      const type = elements[i];
      if (type === undefined) {
        if (!cursor.skip(level + 1)) return BAD;
        continue;
      }
      const value = this.#scalar(type, cursor.item());
      if (value === BAD) return BAD;
      tuple.push(value);
    }
    return tuple;
  }

  #uintOrUints(): unknown {
    const kind = this.#cursor.item();
    return kind === ITEM.uint ? this.#cursor.value : this.#uints(kind);
  }

  /** 64-bit elements become the nearest doubles, so that every list of uints holds numbers. */
  #uints(kind: number): unknown {
    const cursor = this.#cursor;
    if (kind === ITEM.array) {
      return this.#elements(cursor.value, () => this.#scalar('uint', cursor.item()));
    }
    if (kind !== ITEM.typed || !isUintTag(cursor.tag)) return BAD;
    const array = this.#typed();
    return array instanceof BigUint64Array ? Array.from(array, Number) : array;
  }

  #typed(): Exclude<ColumnValues, Scalar | readonly Scalar[]> {
    const cursor = this.#cursor;
    const from = cursor.at;
    cursor.pass(ITEM.typed, NESTING_MAX);
    return typedArrayOf(cursor.tag, cursor.bytes, from, cursor.at);
  }

  #column(): ColumnValues | Bad {
    const kind = this.#cursor.item();
    if (kind === ITEM.typed) return this.#typed();
    if (kind !== ITEM.array) return this.#scalarOfColumn(kind);
    return this.#elements(this.#cursor.value, () => this.#scalarOfColumn(this.#cursor.item()));
  }

  #scalarOfColumn(kind: number): Scalar | Bad {
    if (kind === ITEM.uint || kind === ITEM.negative || kind === ITEM.float) {
      return this.#cursor.value;
    }
    if (kind === ITEM.bool) return this.#cursor.value === 1;
    if (kind === ITEM.null) return null;
    return kind === ITEM.text ? this.#text() : BAD;
  }

  #wrongType(): Bad {
    this.#cursor.fail(WRONG_TYPE);
    return BAD;
  }

  #refuse(fault: typeof MISSING): null {
    this.#cursor.fail(fault);
    return null;
  }
}

function isInRange(type: ScalarType, value: number): boolean {
  if (type === 'num') return value >= 1;
  return type !== 'channel' || (value >= 1 && value <= CHANNEL_MAX);
}

const isComplete = (layout: Layout, seen: number): boolean =>
  (seen & layout.required) === layout.required &&
  (layout.anyOf === 0 || (seen & layout.anyOf) !== 0);

/** From a client `lost` is less than `n`; from the server any number. Source: App. A, §3.4. */
const lostReachesN = (fields: Fields): boolean =>
  typeof fields['lost'] === 'number' && fields['lost'] >= (fields['n'] as number);
