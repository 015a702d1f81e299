/**
 * How a file is opened. `create` and `durable` make it if it is not there and never empty it; with
 * `durable` every write is on the disk when it resolves, which saves a call per group.
 */
export type OpenMode = 'read' | 'write' | 'create' | 'durable';

/**
 * The file system as the log uses it: the one seam between the log and the disk, so that a test
 * double can keep writes until the sync, lose and tear the rest at a crash, and inject faults.
 * Faults are rejections whose error carries the system's `code` (`ENOSPC`, `EIO`, …).
 */
export interface LogFiles {
  /** Makes a directory and its parents; one that is there already is fine. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory, in no particular order. */
  names(path: string): Promise<string[]>;
  open(path: string, mode: OpenMode): Promise<LogFile>;
  /** Replaces `to` if it is there. Durable after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes what was created, renamed and removed in a directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Takes the lock, or null if another process (or another log of this one) holds it. */
  lock(path: string): Promise<LogLock | null>;
}

/** An open file. Every call names its position: there is no cursor. */
export interface LogFile {
  /** Reads at most `into.length` bytes and returns how many; 0 only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /**
   * Writes and returns how many bytes were taken, which may be fewer than were given. Of a write
   * that rejects anything may be on the disk, and nothing need be.
   */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Guarantee: what was written before the call is on the disk when it resolves. */
  datasync(): Promise<void>;
  truncate(size: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** A lock that the kernel releases when the process ends, however it ends. */
export interface LogLock {
  release(): void;
}

/** The system's code of a failed file operation; empty text if the error has none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** Whether an operation failed for want of room, which may come back. */
export function isDiskFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/**
 * Writes all of `bytes`, in as many calls as the system needs.
 * Rejects: with the system's error; part of the bytes may have been written then.
 */
export async function writeFully(
  file: LogFile,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const rest = done === 0 ? bytes : bytes.subarray(done);
    const taken = await file.write(rest, position + done);
    // A write that takes nothing and reports nothing would be asked for ever.
    if (taken <= 0) throw Object.assign(new Error('a write took no bytes'), { code: 'EIO' });
    done += taken;
  }
}

/** Reads until `into` is full or the file ends; returns how many bytes there were. */
export async function readFully(
  file: LogFile,
  into: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const got = await file.read(done === 0 ? into : into.subarray(done), position + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}
