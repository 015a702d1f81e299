import type { LogFile, LogFiles } from '../src/adapters/log/files.ts';
import { realFiles } from '../src/adapters/log/real-files.ts';
import { AlarmClock } from './alarm-clock.ts';

/** How slow a disk is. */
export interface DiskSpeed {
  /** What a sync costs by itself. Units: ms. */
  readonly baseMs: number;
  /** What it can take. Units: bytes per second; 0: as fast as the real disk is. */
  readonly bytesPerSecond: number;
}

/** What a disk did. */
export interface DiskFigures {
  syncs: number;
  bytes: number;
  busyMs: number;
}

/**
 * Timers of Node are whole milliseconds, and late: a sync that is asked for so soon after the last
 * one begins where that one ended, or the rate would not be the one that was asked for. Units: ms.
 */
const GRACE_MS = 1.5;

/**
 * The real disk, slowed to a known rate: a durable write to a segment takes the base and its bytes ÷
 * the rate, one after the other, like a disk behind a page cache. What the log
 * writes beside its groups (zeros in advance, definitions) keeps its own speed, so that the rate is
 * that of the groups.
 */
export class SlowDisk {
  readonly #speed: DiskSpeed;
  readonly #clock = new AlarmClock();
  #freeAtMs = 0;
  #seen: DiskFigures = { syncs: 0, bytes: 0, busyMs: 0 };
  #released: PromiseWithResolvers<void> | null = null;

  constructor(speed: DiskSpeed) {
    this.#speed = speed;
  }

  /** The files on this disk. */
  get files(): LogFiles {
    return {
      ...realFiles,
      open: async (path, mode) => {
        const file = new SlowFile(await realFiles.open(path, mode), this);
        file.isSlow = path.endsWith('.seg') && mode === 'durable';
        return file;
      },
    };
  }

  /** From now on no sync ends, until `release`. */
  hold(): void {
    this.#released ??= Promise.withResolvers();
  }

  /** The disk goes on. */
  release(): void {
    this.#released?.resolve();
    this.#released = null;
  }

  /** Takes the disk for a sync of so many bytes, and returns when it is done. Units: ms. */
  take(bytes: number): number {
    const { baseMs, bytesPerSecond } = this.#speed;
    if (bytesPerSecond === 0) return 0;
    const now = performance.now();
    const from = now - this.#freeAtMs < GRACE_MS ? this.#freeAtMs : now;
    this.#freeAtMs = from + baseMs + (1000 * bytes) / bytesPerSecond;
    this.#seen.syncs += 1;
    this.#seen.bytes += bytes;
    this.#seen.busyMs += this.#freeAtMs - from;
    return this.#freeAtMs;
  }

  /** What it did since it was asked last. */
  report(): DiskFigures {
    const seen = this.#seen;
    this.#seen = { syncs: 0, bytes: 0, busyMs: 0 };
    return seen;
  }

  /** Waits until then, and until the disk goes on. Units: ms. */
  async until(dueMs: number): Promise<void> {
    const restMs = dueMs - performance.now();
    if (restMs > 0) await this.#clock.wait(restMs);
    await this.#released?.promise;
  }
}

/** A file of the slow disk. */
class SlowFile implements LogFile {
  isSlow = false;
  readonly #file: LogFile;
  readonly #disk: SlowDisk;

  constructor(file: LogFile, disk: SlowDisk) {
    this.#file = file;
    this.#disk = disk;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#file.read(into, position);
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    if (!this.isSlow) return this.#file.write(bytes, position);
    const due = this.#disk.take(bytes.length);
    const taken = await this.#file.write(bytes, position);
    await this.#disk.until(due);
    return taken;
  }

  datasync(): Promise<void> {
    return this.#file.datasync();
  }

  truncate(size: number): Promise<void> {
    return this.#file.truncate(size);
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
