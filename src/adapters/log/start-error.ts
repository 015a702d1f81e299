/**
 * Why the gateway cannot start, in a sentence for a human that says what to do.
 * Shape: `exitCode` is 69 (the directory is locked by another process) or 78 (everything that
 * somebody has to set right first: another version, another shard count, an unusable directory, a
 * damaged log). Source: INTERFACE, Exit.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly exitCode: 69 | 78;
  /** Where the log is damaged, if it is. */
  readonly place: Place | undefined;

  constructor(exitCode: 69 | 78, sentence: string, options?: ErrorOptions & { place?: Place }) {
    super(sentence, options);
    this.exitCode = exitCode;
    this.place = options?.place;
  }
}

/** A place in a file of the data directory. */
export interface Place {
  readonly path: string;
  /** Byte from the start of the file. */
  readonly position: number;
}

/** The refusal of a damaged file: names file and byte, says what is known and what to do. */
export function damaged(place: Place, finding: string): StartError {
  return new StartError(
    78,
    `the log is damaged: ${place.path}, byte ${place.position}: ${finding}. ` +
      'Acknowledged records may be lost there, so nothing was changed. ' +
      'Restore the data directory from a copy, or move it away to start with an empty log',
    { place },
  );
}

/**
 * Runs a step of the start; a fault of the file system becomes a `StartError` 78 that says what
 * could not be done. Other errors pass.
 */
export async function starting<T>(what: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new StartError(78, `${what}: ${error.message}`, { cause: error });
  }
}
