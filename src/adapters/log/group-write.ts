import { SECTOR_BYTES } from './entry.ts';
import { codeOf, isDiskFull, type LogFile } from './files.ts';
import { writeZeros } from './tail.ts';

const noSector = (): Error =>
  Object.assign(new Error('ENOSPC: the disk took less than a sector'), { code: 'ENOSPC' });

/** Where a group goes: a file that was opened as `durable`. */
export interface GroupPlace {
  readonly file: LogFile;
  readonly path: string;
  readonly position: number;
}

/**
 * Writes one group, which may take several attempts on a full disk.
 * Guarantee: what `attempt` resolves for is on the disk; a write that the disk refused for want of
 * room is made again whole, and never relied on. At any time a sector of the group holds either
 * what was there before, or all that the group puts there. `judgeTail` relies on it: where the
 * system took a part of a sector, that part is taken back before the write goes on at the sector's
 * beginning.
 */
export class GroupWrite {
  readonly #bytes: Uint8Array;
  readonly #place: GroupPlace;
  #done = 0;
  /** Bytes behind `#done` that are the part of a sector. */
  #part = 0;

  constructor(bytes: Uint8Array, place: GroupPlace) {
    this.#bytes = bytes;
    this.#place = place;
  }

  /**
   * Goes on until all is written. Rejects: with the system's error if there is no room, and can be
   * called again then; with any other error nothing more may be relied on: the system may call
   * pages clean that never reached the disk.
   */
  async attempt(): Promise<void> {
    try {
      await this.#write();
    } catch (cause) {
      if (isDiskFull(cause)) throw cause;
      throw new Error(`a write to ${this.#place.path} failed (${codeOf(cause)})`, { cause });
    }
  }

  async #write(): Promise<void> {
    const { file, position } = this.#place;
    while (this.#done < this.#bytes.length) {
      if (this.#part > 0) await this.#takeBack();
      const rest = this.#bytes.subarray(this.#done);
      const taken = await file.write(rest, position + this.#done);
      const before = this.#done;
      this.#note(before + taken);
      // Only a full disk takes less than a sector; asked again at once it would for ever.
      if (this.#done === before) throw noSector();
    }
  }

  #note(end: number): void {
    const { position } = this.#place;
    const isWhole = end === this.#bytes.length;
    const sector = Math.floor((position + end) / SECTOR_BYTES) * SECTOR_BYTES - position;
    const done = isWhole ? end : Math.max(this.#done, sector);
    this.#part = end - done;
    this.#done = done;
  }

  async #takeBack(): Promise<void> {
    const { file, position } = this.#place;
    const from = position + this.#done;
    await writeZeros(file, from, from + this.#part);
    this.#part = 0;
  }
}
