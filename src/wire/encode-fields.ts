import type { CborWriter } from './cbor-writer.ts';
import type { Field, FieldType, Layout, ScalarType } from './fields.ts';
import { isTypedArray } from './typed-array.ts';
import { cutText } from './utf8.ts';

/** A message or block as a bag of names. */
export type Bag = Readonly<Record<string, unknown>>;

/** Where values come from, and what that means for them. */
export interface Origin {
  /** Writes one column; false if the value cannot be one. */
  readonly writeColumn: (out: CborWriter, column: unknown) => boolean;
  /** JSON has no NaN and ±Infinity: what parses to one is null, and no number. */
  readonly hasNonFinite: boolean;
}

/**
 * Writes the maps of App. A by their layouts, from messages of ours and from parsed JSON alike:
 * keys in the table's order, names that are not in it left out.
 *
 * Guarantee: `false` means that a value does not even have the shape of its type; ranges are for
 * the decoder to judge.
 */
export class FieldEncoder {
  readonly #out: CborWriter;
  readonly #origin: Origin;

  constructor(out: CborWriter, origin: Origin) {
    this.#out = out;
    this.#origin = origin;
  }

  /** A whole message of kind `k`. */
  message(layout: Layout, k: number, message: object): boolean {
    const bag = message as Bag;
    this.#out.head(5, 1 + present(layout, bag));
    this.#out.int(0);
    this.#out.int(k);
    return this.#fields(layout, bag);
  }

  /** `[+ block]` */
  blocks(layout: Layout, blocks: readonly unknown[]): boolean {
    this.#out.head(4, blocks.length);
    return blocks.every((block) => isBag(block) && this.#block(layout, block));
  }

  #block(layout: Layout, block: Bag): boolean {
    this.#out.head(5, present(layout, block));
    return this.#fields(layout, block);
  }

  #fields(layout: Layout, bag: Bag): boolean {
    for (const field of layout.fields) {
      if (!this.#field(field, bag[field.name])) return false;
    }
    return true;
  }

  #field(field: Field, value: unknown): boolean {
    if (value === undefined) return true;
    this.#out.int(field.key);
    return this.#value(field.type, value);
  }

  #value(type: FieldType, value: unknown): boolean {
    switch (type.kind) {
      case 'scalar':
        return this.#scalar(type.of, value, type.cut);
      case 'list':
        return this.#list(value, (element) => this.#scalar(type.of, element));
      case 'tuples':
        return this.#list(value, (element) => this.#tuple(type.elements, element));
      case 'uints':
        return this.#uints(value);
      case 'uintOrUints':
        return typeof value === 'number' ? this.#scalar('uint', value) : this.#uints(value);
      case 'columns':
        return this.#list(value, (column) => this.#origin.writeColumn(this.#out, column));
      case 'blocks':
        return Array.isArray(value) && this.blocks(type.layout, value);
    }
  }

  #scalar(type: ScalarType, value: unknown, cut?: number): boolean {
    if (type === 'text') {
      if (typeof value !== 'string') return false;
      this.#out.text(cut === undefined ? value : cutText(value, cut));
      return true;
    }
    if (typeof value !== 'number') return false;
    if (type !== 'number') return this.#integer(value);
    if (!Number.isFinite(value) && !this.#origin.hasNonFinite) return false;
    this.#out.number(value);
    return true;
  }

  #integer(value: number): boolean {
    if (!Number.isSafeInteger(value)) return false;
    this.#out.int(value);
    return true;
  }

  #list(value: unknown, element: (element: unknown) => boolean): boolean {
    if (!Array.isArray(value)) return false;
    this.#out.head(4, value.length);
    return value.every(element);
  }

  /** A positional list without what stands beyond `elements`; holes get the default. */
  #tuple(elements: readonly ScalarType[], value: unknown): boolean {
    if (!Array.isArray(value)) return false;
    let length = Math.min(value.length, elements.length);
    while (length > 0 && value[length - 1] === undefined) length -= 1;
    this.#out.head(4, length);
    for (let i = 0; i < length; i += 1) {
      const type = elements[i] as ScalarType;
      if (!this.#scalar(type, value[i] === undefined ? defaultOf(type) : value[i])) return false;
    }
    return true;
  }

  #uints(value: unknown): boolean {
    if (isTypedArray(value)) {
      this.#out.typed(value);
      return true;
    }
    return this.#list(value, (element) => this.#scalar('uint', element));
  }
}

/** True for an object that is no array. */
export const isBag = (value: unknown): value is Bag =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Unit and scale that are left out before an offset. */
const defaultOf = (type: ScalarType): unknown => (type === 'text' ? '' : 1);

function present(layout: Layout, bag: Bag): number {
  let count = 0;
  for (const { name } of layout.fields) if (bag[name] !== undefined) count += 1;
  return count;
}
