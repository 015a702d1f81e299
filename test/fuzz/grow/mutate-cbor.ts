import type { Dice } from '../../sim/random.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateTree } from './mutate-tree.ts';
import { parseTree, writeTree } from './tree.ts';

/** Beyond this a tree is not worth parsing again and again. Units: bytes. */
const TREE_BYTES_MAX = 4096;
/** As much as the longest head has. Units: bytes. */
const CUT_BYTES_MAX = 9;

/** A changed message: by items for the most part, now and then by bytes. */
export function mutateCbor(dice: Dice, bytes: Uint8Array, donor: Uint8Array): Uint8Array {
  if (dice.chance(0.15) || bytes.length > TREE_BYTES_MAX) return mutateBytes(dice, bytes);
  const nodes = parseTree(bytes);
  const lent = donor.length > TREE_BYTES_MAX ? [] : parseTree(donor);
  for (let edits = 1 + dice.below(dice.chance(0.7) ? 2 : 5); edits > 0; edits -= 1) {
    mutateTree(dice, nodes, lent);
  }
  const changed = writeTree(nodes);
  return dice.chance(0.05) ? changed.slice(0, -1 - dice.below(CUT_BYTES_MAX)) : changed;
}
