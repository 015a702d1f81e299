import { KIND_NAMES, layoutOf } from '../../../src/wire/fields.ts';
import { KIND } from '../../../src/wire/messages.ts';
import { argumentOf, MAJOR, majorOf, type Node, widthOf } from '../grow/tree.ts';

/** What a router may know of a message: PROTOCOL [R3.1-7], [R6.2-1], [R10.1-6] once more. */
export interface HeadReference {
  readonly isGood: boolean;
  readonly head: {
    readonly k: number;
    readonly c: number;
    readonly n: number;
    readonly lost: number;
  };
}

const HEADLESS = { k: 0, c: 0, n: 0, lost: 0 };

/** `top`: the first item of the message. */
export function headReference(top: Node | undefined): HeadReference {
  const [first, kind] = top?.items ?? [];
  const isMap = top !== undefined && majorOf(top) === MAJOR.map && isCount(top);
  if (!isMap || uintOf(first) !== 0) return { isGood: false, head: HEADLESS };
  const k = uintOf(kind);
  if (k === null) return { isGood: false, head: HEADLESS };
  if (KIND_NAMES[k] === undefined) return { isGood: true, head: { ...HEADLESS, k } };
  return headOf(k, top);
}

function headOf(k: number, { items }: Node): HeadReference {
  const found = { c: 0, n: 0, lost: 0 };
  const isData = k === KIND.data;
  let at = 2;
  for (const [name, key, least] of [
    ['c', 1, 0],
    ['n', 2, 1],
    ['lost', 4, 0],
  ] as const) {
    const stands = hasKey(k, key) && uintOf(items[at]) === key;
    // `data` has `c` and `n`; what is there has to be a number.
    if (!stands && isData && name !== 'lost') return { isGood: false, head: { ...found, k } };
    if (!stands) continue;
    const value = uintOf(items[at + 1]);
    if (value === null || value < least) {
      const named = name === 'lost' ? found : HEADLESS;
      return { isGood: false, head: { ...named, lost: 0, k } };
    }
    found[name] = value;
    at += 2;
  }
  return { isGood: true, head: { ...found, k } };
}

const hasKey = (k: number, key: number): boolean =>
  [layoutOf(k, 'client'), layoutOf(k, 'server')].some((layout) => layout?.byKey.has(key));

/** A number of pairs that can be counted to. */
const isCount = (node: Node): boolean => isDefinite(node) && Number.isSafeInteger(argumentOf(node));

/** Not of an indefinite or reserved length. */
const isDefinite = (node: Node): boolean => widthOf(node) > 0 || argumentOf(node) < 24;

/** The value of a uint up to 2^53−1; null for anything else. */
function uintOf(node: Node | undefined): number | null {
  if (node === undefined || majorOf(node) !== MAJOR.uint || !isDefinite(node)) return null;
  const value = argumentOf(node);
  return Number.isSafeInteger(value) ? value : null;
}
