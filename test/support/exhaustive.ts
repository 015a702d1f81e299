import { type Bounds, SmallWorld } from './small-world.ts';

/** How a search ended. */
export interface Search {
  readonly states: number;
  readonly steps: number;
  /** The first fault, with the way to it. */
  readonly fault: string | null;
  /** A way into a state from which nothing leads home. */
  readonly stuck: string | null;
}

const after = (bounds: Bounds, path: readonly string[]): SmallWorld => {
  const world = new SmallWorld(bounds);
  for (const action of path) world.take(action);
  return world;
};

/** A state, the first way into it, and what may happen in it. */
interface Place {
  readonly path: readonly string[];
  readonly actions: readonly string[];
  readonly isHome: boolean;
  /** Places that lead here. */
  readonly from: number[];
}

const placeOf = (path: readonly string[], { actions, isHome }: SmallWorld): Place => ({
  path,
  actions,
  isHome,
  from: [],
});

/**
 * Every interleaving, breadth first: a state that was seen before is not gone into again. Real code
 * cannot be copied, so each way is walked from the start.
 */
export function search(bounds: Bounds): Search {
  const start = new SmallWorld(bounds);
  const places = [placeOf([], start)];
  const numbers = new Map([[start.state, 0]]);
  let steps = 0;
  for (const [at, { path, actions }] of places.entries()) {
    for (const action of actions) {
      steps += 1;
      const next = [...path, action];
      const world = after(bounds, next);
      const counts = { states: places.length, steps };
      if (world.fault)
        return { ...counts, fault: `${world.fault}: ${next.join(', ')}`, stuck: null };
      const { state } = world;
      const known = numbers.get(state) ?? places.length;
      if (known === places.length) {
        numbers.set(state, known);
        places.push(placeOf(next, world));
      }
      places[known]?.from.push(at);
    }
  }
  return { states: places.length, steps, fault: null, stuck: stuckOf(places) };
}

/** Liveness: from every state that can be reached some way leads home. */
function stuckOf(places: readonly Place[]): string | null {
  const good = new Set<Place>();
  const waiting = places.filter(({ isHome }) => isHome);
  for (let place = waiting.pop(); place; place = waiting.pop()) {
    if (good.has(place)) continue;
    good.add(place);
    for (const at of place.from) waiting.push(places[at] as Place);
  }
  return places.find((place) => !good.has(place))?.path.join(', ') ?? null;
}
