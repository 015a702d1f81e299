/** Something that must not be: what the fuzzer is for. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

/** Throws a `Finding` unless `holds`. `sentence` says what is wrong. */
export function claim(holds: boolean, sentence: string | (() => string)): asserts holds {
  if (!holds) throw new Finding(typeof sentence === 'string' ? sentence : sentence());
}

/** A value in a few words. */
export function brief(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`;
    if (Object.is(part, -0)) return '-0';
    if (typeof part === 'number' && !Number.isFinite(part)) return String(part);
    if (ArrayBuffer.isView(part)) {
      return `${part.constructor.name} ${Array.from(part as unknown as Iterable<unknown>).join()}`;
    }
    return part instanceof Map ? [...part] : part;
  });
  return text === undefined ? String(value) : text.slice(0, 300);
}
