import { expect, it } from 'vitest';
import { didYouMean, nearest } from '../../../src/model/nearest.ts';

const WORDS = ['serve', 'simulate', 'tail', 'config', 'demo', 'version'];

it.each([
  ['serv', 'serve'],
  ['SERVE', 'serve'],
  ['simulator', 'simulate'],
  ['tali', 'tail'],
  ['sevre', 'serve'],
  ['ltai', undefined],
  ['tal', 'tail'],
  ['dmo', 'demo'],
  ['cofnig', 'config'],
  ['run', undefined],
  ['', undefined],
  ['x'.repeat(1000), undefined],
])('%j was probably meant to be %j', (word, meant) => {
  expect(nearest(word, WORDS)).toBe(meant);
});

it('ends a sentence, or leaves it as it is', () => {
  expect(didYouMean('serv', WORDS)).toBe(', did you mean serve?');
  expect(didYouMean('run', WORDS)).toBe('');
});
