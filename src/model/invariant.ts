/** Our own bug, found by ourselves. Whoever catches it settles nothing more for what it concerns. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws an `InvariantError` unless `holds`. */
export function invariant(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new InvariantError(sentence);
}

/**
 * A fault of ours in what all sessions share: nobody can go on. It is safe to stop, because an ack
 * follows durability.
 */
export class SharedFault extends Error {
  override readonly name = 'SharedFault';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Does something that all sessions share: what goes wrong there is thrown as such a fault. */
export function shared(act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new SharedFault(error);
  }
}
