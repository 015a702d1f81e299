import { KIND } from './messages.ts';

/** Types of single values in App. A. `num` is 1 … 2^53−1, `channel` 1 … 65535. */
export type ScalarType = 'uint' | 'int' | 'num' | 'channel' | 'number' | 'text';

/** What a key holds. Names of the kinds follow PROTOCOL App. A. */
export type FieldType =
  /** One value; a text is cut at `cut` bytes, in both directions. */
  | { readonly kind: 'scalar'; readonly of: ScalarType; readonly cut?: number }
  /** `[+ x]` */
  | { readonly kind: 'list'; readonly of: 'uint' | 'text' }
  /** Positional lists, at least `least` of them; elements from `required` on are optional. */
  | {
      readonly kind: 'tuples';
      readonly elements: readonly ScalarType[];
      readonly required: number;
      readonly least: number;
    }
  /** `uints` */
  | { readonly kind: 'uints' }
  /** `uint / uints` */
  | { readonly kind: 'uintOrUints' }
  /** `[+ column]` */
  | { readonly kind: 'columns' }
  /** `[+ block]` */
  | { readonly kind: 'blocks'; readonly layout: Layout };

/** A key of a message or block. */
export interface Field {
  readonly key: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: FieldType;
}

/** The keys that a message or block may have, in the order in which they are written. */
export interface Layout {
  readonly fields: readonly Field[];
  /** Index into `fields` by key. */
  readonly byKey: ReadonlyMap<number, number>;
  /** Bits of the fields that must stand in it. */
  readonly required: number;
  /** Bits of fields of which at least one must stand in it; 0 for no such rule. */
  readonly anyOf: number;
}

/** Who wrote a message. */
export type Sender = 'client' | 'server';

/** Names by kind. Source: PROTOCOL §1. */
export const KIND_NAMES = Object.keys(KIND) as readonly (keyof typeof KIND)[];

const scalar = (of: ScalarType, cut?: number): FieldType =>
  cut === undefined ? { kind: 'scalar', of } : { kind: 'scalar', of, cut };
const UINT = scalar('uint');
const INT = scalar('int');
const NUM = scalar('num');
const TEXT = scalar('text');
const UINTS: FieldType = { kind: 'uints' };
const UINT_OR_UINTS: FieldType = { kind: 'uintOrUints' };
const TEXT_LIST: FieldType = { kind: 'list', of: 'text' };
const UINT_LIST: FieldType = { kind: 'list', of: 'uint' };
const tuples = (least: number, required: number, ...elements: ScalarType[]): FieldType => ({
  kind: 'tuples',
  elements,
  required,
  least,
});
const FLOWS = tuples(0, 3, 'uint', 'uint', 'uint', 'uint');
const GRANTS = tuples(1, 3, 'uint', 'uint', 'uint');
const ASKS = tuples(1, 3, 'uint', 'uint', 'num');

const must = (key: number, name: string, type: FieldType): Field => ({
  key,
  name,
  required: true,
  type,
});
const may = (key: number, name: string, type: FieldType): Field => ({
  key,
  name,
  required: false,
  type,
});

function layout(fields: readonly Field[], anyOf: readonly string[] = []): Layout {
  const bits = (holds: (field: Field) => boolean): number =>
    fields.reduce((mask, field, i) => (holds(field) ? mask | (1 << i) : mask), 0);
  return {
    fields,
    byKey: new Map(fields.map((field, i) => [field.key, i])),
    required: bits((field) => field.required),
    anyOf: bits((field) => anyOf.includes(field.name)),
  };
}

/** A block of device data. Source: App. A `dblock`. */
export const DEVICE_BLOCK = layout([
  must(0, 's', UINT),
  must(1, 't', INT),
  may(2, 'dt', scalar('number')),
  may(3, 'd', UINTS),
  must(4, 'v', { kind: 'columns' }),
  may(5, 'q', UINT_OR_UINTS),
  may(8, 'fid', UINT),
]);

/** A block of server data. Source: App. A `sblock`. */
export const SERVER_BLOCK = layout([
  must(1, 't', INT),
  may(2, 'dt', scalar('number')),
  may(3, 'd', UINTS),
  must(4, 'v', { kind: 'columns' }),
  may(5, 'q', UINT_OR_UINTS),
  may(6, 'st', UINT),
  must(7, 'i', UINT_OR_UINTS),
  may(9, 'o', UINTS),
  may(10, 'cl', UINT),
]);

const dataOf = (block: Layout): Layout =>
  layout([
    must(1, 'c', UINT),
    must(2, 'n', NUM),
    may(4, 'lost', UINT),
    must(3, 'b', { kind: 'blocks', layout: block }),
    may(6, 'bl', UINT),
    may(7, 'wm', INT),
  ]);

const HELLO = layout([
  may(8, 'ep', NUM),
  may(9, 'ch', ASKS),
  may(10, 'now', INT),
  may(19, 'hb', UINT),
  may(22, 'tok', TEXT),
  may(25, 'rx', UINT),
  may(26, 'ua', scalar('text', 64)),
  may(40, 'hop', UINT),
]);
const WELCOME = layout([
  may(5, 'f', FLOWS),
  may(8, 'ep', NUM),
  may(9, 'ch', GRANTS),
  must(10, 'now', INT),
  must(19, 'hb', UINT),
  may(35, 'ln', UINT),
  may(36, 'sid', TEXT),
  may(41, 'dur', UINT),
  may(42, 'why', UINT),
]);
const CLIENT_DEF = layout([
  must(1, 'c', UINT),
  must(16, 's', UINT),
  must(17, 'cols', tuples(1, 1, 'text', 'text', 'number', 'number')),
  may(18, 'of', TEXT),
]);
const SERVER_DEF = layout(
  [
    must(1, 'c', UINT),
    may(37, 'gone', UINT_LIST),
    may(39, 'ser', tuples(1, 2, 'uint', 'text', 'text')),
  ],
  ['gone', 'ser'],
);
const FLOW = layout([
  must(5, 'f', FLOWS),
  may(10, 'now', INT),
  may(34, 'echo', INT),
  may(35, 'ln', UINT),
  may(41, 'dur', UINT),
  may(42, 'why', UINT),
]);
const PING = layout([
  may(6, 'bl', tuples(1, 2, 'uint', 'uint')),
  may(7, 'wm', tuples(1, 2, 'uint', 'int')),
  may(10, 'now', INT),
]);
const REJECT = layout([
  must(1, 'c', UINT),
  must(2, 'n', NUM),
  must(11, 'e', UINT),
  may(12, 'm', scalar('text', 120)),
]);
const AWAY = layout([
  may(1, 'c', UINT),
  may(2, 'n', NUM),
  must(11, 'e', UINT),
  may(12, 'm', scalar('text', 120)),
  may(13, 'to', TEXT),
  may(14, 'w', UINT),
  may(15, 'dl', UINT),
]);
const SUB = layout([
  must(1, 'c', scalar('channel')),
  must(27, 'p', TEXT_LIST),
  must(28, 'win', UINT),
  may(29, 'agg', TEXT_LIST),
  may(30, 'r', UINT),
  may(31, 'hist', UINT),
  may(32, 'md', UINT),
  may(38, 'lim', UINT),
  may(43, 'grp', UINT),
]);
const STATE = layout([
  must(1, 'c', UINT),
  may(10, 'now', INT),
  may(11, 'e', UINT),
  may(12, 'm', scalar('text', 120)),
  must(33, 'st', UINT),
  may(34, 'echo', INT),
  may(45, 'over', UINT),
]);
const END = layout([must(1, 'c', UINT)]);

type ByKind = readonly (Layout | undefined)[];
const FROM_CLIENT: ByKind = byKind({
  hello: HELLO,
  def: CLIENT_DEF,
  data: dataOf(DEVICE_BLOCK),
  flow: FLOW,
  ping: PING,
  sub: SUB,
  end: END,
});
const FROM_SERVER: ByKind = byKind({
  welcome: WELCOME,
  def: SERVER_DEF,
  data: dataOf(SERVER_BLOCK),
  flow: FLOW,
  reject: REJECT,
  away: AWAY,
  state: STATE,
});

function byKind(layouts: Partial<Record<keyof typeof KIND, Layout>>): ByKind {
  return KIND_NAMES.map((name) => layouts[name]);
}

/** The keys of kind `k` in a direction; undefined if that side does not send it. */
export const layoutOf = (k: number, from: Sender): Layout | undefined =>
  (from === 'client' ? FROM_CLIENT : FROM_SERVER)[k];
