import { SECTOR_BYTES } from '../../src/adapters/log/entry.ts';

/** A change to a file that no sync has made durable yet. */
type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number };

/**
 * A file as a disk with a write cache has it: what the process sees (`cached`), and what would be
 * left after a power cut: the synced bytes with any part of the later changes.
 * A sector is written whole or not at all, and the sectors of unsynced changes in any order.
 */
export class FaultyInode {
  cached = new Uint8Array(0);
  #synced = new Uint8Array(0);
  #changes: Change[] = [];

  write(position: number, bytes: Uint8Array): void {
    this.#change({ kind: 'write', position, bytes: bytes.slice() });
  }

  truncate(size: number): void {
    this.#change({ kind: 'truncate', size });
  }

  /** Only what was changed since the last sync, failed or not, is written. */
  sync(): void {
    for (const change of this.#changes) this.#synced = applied(this.#synced, change);
    this.#changes = [];
  }

  /**
   * A sync that reports an error, as Linux does it: an arbitrary part reached the disk, and the
   * pages count as clean from then on, although the cache still shows all of them.
   */
  failSync(random: () => number): void {
    this.#synced = this.#torn(random);
    this.#changes = [];
  }

  /** A power cut. */
  cut(random: () => number): void {
    this.#synced = this.#torn(random);
    this.cached = this.#synced.slice();
    this.#changes = [];
  }

  #change(change: Change): void {
    this.#changes.push(change);
    this.cached = applied(this.cached, change);
  }

  /** Each sector stands at any of its versions; the size too. */
  #torn(random: () => number): Uint8Array<ArrayBuffer> {
    if (this.#changes.length === 0) return this.#synced.slice();
    const versions = [this.#synced];
    for (const change of this.#changes)
      versions.push(applied(versions.at(-1) as Uint8Array<ArrayBuffer>, change));
    const choose = chooser(random, versions.length);
    const result = new Uint8Array((versions[choose()] as Uint8Array).length);
    for (let at = 0; at < result.length; at += SECTOR_BYTES) {
      const version = versions[choose()] as Uint8Array;
      result.set(version.subarray(at, Math.min(at + SECTOR_BYTES, result.length)), at);
    }
    return result;
  }
}

/** Some power cuts lose everything, some nothing, most something. */
function chooser(random: () => number, versions: number): () => number {
  const mood = random();
  if (mood < 0.15) return () => 0;
  if (mood < 0.3) return () => versions - 1;
  const written = random();
  return () => (random() < written ? versions - 1 : Math.floor(random() * versions));
}

function applied(bytes: Uint8Array<ArrayBuffer>, change: Change): Uint8Array<ArrayBuffer> {
  if (change.kind === 'truncate') {
    const cut = new Uint8Array(change.size);
    cut.set(bytes.subarray(0, change.size));
    return cut;
  }
  const end = change.position + change.bytes.length;
  const written = new Uint8Array(Math.max(end, bytes.length));
  written.set(bytes);
  written.set(change.bytes, change.position);
  return written;
}
