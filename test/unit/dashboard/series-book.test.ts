import { expect, test } from 'vitest';

const { SeriesBook } = await import(
  new URL('../../../src/dashboard/series-book.js', import.meta.url).href
);

const SECOND_US = 1_000_000;
const NOW_US = 1000 * SECOND_US;

/** A book of series, each with a newest reading so long ago; null: it has none. Units: s. */
function bookOf(ages: Readonly<Record<string, number | null>>) {
  const book = new SeriesBook(SECOND_US);
  const names = new Map(Object.keys(ages).map((topic, no) => [no, { topic, unit: '' }]));
  for (const [no, age] of Object.values(ages).entries()) {
    if (age === null) continue;
    const tlast = NOW_US - age * SECOND_US;
    const start = Math.floor(tlast / SECOND_US) * SECOND_US;
    book.take({ t: start, i: [no], v: [[1], [2], [2], [tlast]] }, names);
  }
  book.complete(names);
  return book;
}

test('the first live series is not the first one if that is silent', () => {
  const book = bookOf({ a: 300, b: null, d: 1, c: 10 });
  expect(book.shown[0].topic).toBe('a');
  expect(book.firstLive(NOW_US).topic).toBe('c');
  expect(book.firstLive(NOW_US + 5 * SECOND_US).topic).toBe('d');
});

test('among silent ones none is live', () => {
  expect(bookOf({ a: 11, b: 3600 }).firstLive(NOW_US)).toBeUndefined();
});
