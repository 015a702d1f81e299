/** True if two values are the same to the last bit: NaN is NaN, −0 is not 0, types count. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a.constructor !== b.constructor) return false;
  if (ArrayBuffer.isView(a)) return sameBytes(bytesOf(a), bytesOf(b as ArrayBufferView));
  if (Array.isArray(a)) {
    const list = b as readonly unknown[];
    return a.length === list.length && a.every((element, i) => same(element, list[i]));
  }
  const [bagA, bagB] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(bagA);
  return (
    names.length === Object.keys(bagB).length &&
    names.every((name) => name in bagB && same(bagA[name], bagB[name]))
  );
}

/** True if two byte strings are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
