import { expect, test } from 'vitest';
import { KNOWN_FAULTS } from './known-faults.ts';
import { PAGE_IDS } from './page.ts';
import { PARTS, REASONS } from './reasons.ts';
import { rowsOfSuite } from './table.ts';

const rows = rowsOfSuite();
const byRow = new Set(rows.flatMap(({ ids }) => ids));
const byReason = Object.values(REASONS).flat();

test('the page numbers every rule once', () => {
  expect(PAGE_IDS.length).toBeGreaterThan(370);
  expect(PAGE_IDS.filter((id, i) => PAGE_IDS.indexOf(id) !== i)).toEqual([]);
});

test('every id of the page has a row or a reason', () => {
  const missing = PAGE_IDS.filter((id) => !byRow.has(id) && !byReason.includes(id));
  expect(missing).toEqual([]);
});

test('no row and no reason is of an id that the page does not have', () => {
  const known = new Set(PAGE_IDS);
  const unknown = [...byRow, ...byReason, ...Object.keys(PARTS)].filter((id) => !known.has(id));
  expect(unknown).toEqual([]);
});

test('no id has two reasons, or a row and a reason', () => {
  expect(byReason.filter((id, i) => byReason.indexOf(id) !== i || byRow.has(id))).toEqual([]);
});

test('what is said of a part of a rule is said of one that has a row', () => {
  expect(Object.keys(PARTS).filter((id) => !byRow.has(id))).toEqual([]);
});

test('every sentence is that of one row, and every known fault is that of a row', () => {
  const sentences = rows.map(({ what, where, file }) => `${file} ${where} ${what}`);
  expect(sentences.filter((one, i) => sentences.indexOf(one) !== i)).toEqual([]);
  const whats = new Set(rows.map(({ what }) => what));
  expect(Object.keys(KNOWN_FAULTS).filter((what) => !whats.has(what))).toEqual([]);
});
