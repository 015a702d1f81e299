import { nearest } from '../model/nearest.ts';

/** `, did you mean X?` where something is near, else nothing: the tail of a fault's sentence. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `, did you mean ${meant}?`;
}
