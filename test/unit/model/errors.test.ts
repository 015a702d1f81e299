import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { breach, CODES } from '../../../src/model/errors.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/PROTOCOL.md'), 'utf8');
const [, section = ''] = /\n## 13\. Codes\n([\s\S]*?)\n## 14\./.exec(PAGE) ?? [];

/** Codes and names as the table of PROTOCOL §13 has them. */
const table = (): [number, string][] =>
  section
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, codes]) => /^\d/.test(codes ?? ''))
    .flatMap(([, codes = '', names = '']) => {
      const each = names.split(' / ');
      return codes.split(' / ').map((code, i): [number, string] => [Number(code), each[i] ?? '']);
    });

describe('the table of codes', () => {
  test('has the codes and names of PROTOCOL §13, no more and no fewer', () => {
    const normal = (name: string): string => name.toLowerCase().replaceAll(' ', '-');
    const page = table().map(([code, name]) => [code, normal(name)]);
    const code = Object.entries(CODES).map(([number, { name }]) => [Number(number), name]);
    const byCode = (a: unknown[], b: unknown[]): number => Number(a[0]) - Number(b[0]);
    expect(code.toSorted(byCode)).toEqual(page.toSorted(byCode));
  });

  test.each(Object.entries(CODES))(
    '%s has a policy and a sentence of at most 120 bytes',
    (_, row) => {
      expect(['-', 'A', 'B', 'C', 'drop']).toContain(row.policy);
      expect(row.sentence.length).toBeLessThanOrEqual(120);
    },
  );

  test('a breach carries the sentence of its code unless there is more to say', () => {
    expect(breach(4007)).toEqual({ code: 4007, message: CODES[4007].sentence });
    expect(breach(4007, 'why')).toEqual({ code: 4007, message: 'why' });
  });
});
