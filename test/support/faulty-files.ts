import type { LogFile, LogFiles, LogLock, OpenMode } from '../../src/adapters/log/files.ts';
import { FaultyInode } from './faulty-disk.ts';

type Inodes = Map<string, FaultyInode>;

/** A change of names that its directory's sync has not made durable yet. */
interface Renaming {
  readonly directory: string;
  readonly apply: (names: Inodes) => void;
}

/** What goes wrong, and how often. All off at first. */
export interface Faults {
  /** How likely a write takes only a part of its bytes. */
  shortWrite: number;
  /** How likely a write is refused with ENOSPC, even where the file has its room already. */
  noSpace: number;
  /** Bytes that files may still grow by. */
  freeBytes: number;
  /** How likely a datasync, or that of a durable write, fails with EIO. */
  failSync: number;
  /** After so many operations the process is gone: nothing it asked for is ever answered. */
  dieAfter: number;
}

/**
 * The file system of the log as a test double: it keeps writes until the sync, loses, tears and
 * reorders the rest at a power cut, and injects faults. Time does not exist: every operation takes
 * a few microtasks. One `FaultyFiles` is one life of a process; `powerCut` and `kill` give the next
 * one, on the same disk.
 * What it leaves out: directories are durable as soon as they are made.
 */
export class FaultyFiles implements LogFiles {
  readonly faults: Faults = {
    shortWrite: 0,
    noSpace: 0,
    freeBytes: Infinity,
    failSync: 0,
    dieAfter: Infinity,
  };
  /** Resolves when `dieAfter` operations have been asked for. */
  readonly died: Promise<void>;
  operations = 0;
  /** How often a file was synced, whether it worked or not. */
  syncs = 0;
  readonly #random: () => number;
  readonly #names: Inodes;
  readonly #durableNames: Inodes;
  #renamings: Renaming[] = [];
  readonly #death = Promise.withResolvers<void>();
  #isDead = false;
  #isLocked = false;

  constructor(random: () => number, names: Inodes = new Map(), durable: Inodes = new Map()) {
    this.#random = random;
    this.#names = names;
    this.#durableNames = durable;
    this.died = this.#death.promise;
  }

  /** What is left when the machine loses its power now. */
  powerCut(): FaultyFiles {
    this.#isDead = true;
    const names = new Map(this.#durableNames);
    // The journal of a file system keeps the order of changes of names.
    const kept = Math.floor(this.#random() * (this.#renamings.length + 1));
    for (const { apply } of this.#renamings.slice(0, kept)) apply(names);
    for (const inode of new Set(names.values())) inode.cut(this.#random);
    return new FaultyFiles(this.#random, names, new Map(names));
  }

  /** What is left when the process ends now and the machine runs on: the cache survives. */
  kill(): FaultyFiles {
    this.#isDead = true;
    const next = new FaultyFiles(this.#random, this.#names, this.#durableNames);
    next.#renamings = this.#renamings;
    return next;
  }

  /** The bytes of a file as the process sees them, for tests that damage it by hand. */
  bytesOf(path: string): Uint8Array {
    return this.#inode(path).cached;
  }

  async makeDirectory(): Promise<void> {
    await this.#operation();
  }

  async names(path: string): Promise<string[]> {
    await this.#operation();
    const prefix = `${path}/`;
    const inside = [...this.#names.keys()].filter((name) => name.startsWith(prefix));
    return inside.map((name) => name.slice(prefix.length)).filter((name) => !name.includes('/'));
  }

  async open(path: string, mode: OpenMode): Promise<LogFile> {
    await this.#operation();
    if (!this.#names.has(path)) {
      if (mode === 'read' || mode === 'write') throw fault('ENOENT', path);
      const inode = new FaultyInode();
      this.#rename(path, (names) => names.set(path, inode));
    }
    return this.#fileOf(this.#inode(path), path, mode === 'durable');
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#operation();
    const inode = this.#inode(from);
    this.#rename(to, (names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  async remove(path: string): Promise<void> {
    await this.#operation();
    this.#inode(path);
    this.#rename(path, (names) => names.delete(path));
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#operation();
    for (const { directory, apply } of this.#renamings) {
      if (directory === path) apply(this.#durableNames);
    }
    this.#renamings = this.#renamings.filter(({ directory }) => directory !== path);
  }

  async lock(): Promise<LogLock | null> {
    await this.#operation();
    if (this.#isLocked) return null;
    this.#isLocked = true;
    return {
      release: () => {
        this.#isLocked = false;
      },
    };
  }

  /** Takes a few turns, and never ends for a process that is dead. */
  async #operation(): Promise<void> {
    this.operations += 1;
    if (this.operations > this.faults.dieAfter) {
      this.#isDead = true;
      this.#death.resolve();
    }
    for (let turns = Math.floor(this.#random() * 4); turns >= 0; turns -= 1) await null;
    if (this.#isDead) await new Promise(() => {});
  }

  #rename(path: string, apply: (names: Inodes) => void): void {
    apply(this.#names);
    const directory = path.slice(0, path.lastIndexOf('/'));
    this.#renamings.push({ directory, apply });
  }

  #inode(path: string): FaultyInode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw fault('ENOENT', path);
    return inode;
  }

  #fileOf(inode: FaultyInode, path: string, isDurable: boolean): LogFile {
    const operation = () => this.#operation();
    return {
      read: async (into, position) => {
        await operation();
        const bytes = inode.cached.subarray(position, position + into.length);
        into.set(bytes);
        return bytes.length;
      },
      write: async (bytes, position) => {
        await operation();
        const taken = this.#write(inode, { bytes, position, path });
        if (!isDurable) return taken;
        await operation();
        this.#sync(inode, path);
        return taken;
      },
      datasync: async () => {
        await operation();
        this.#sync(inode, path);
      },
      truncate: async (size) => {
        await operation();
        this.faults.freeBytes += inode.cached.length - size;
        inode.truncate(size);
      },
      size: async () => {
        await operation();
        return inode.cached.length;
      },
      close: operation,
    };
  }

  #write(
    inode: FaultyInode,
    { bytes, position, path }: { bytes: Uint8Array; position: number; path: string },
  ): number {
    const { faults } = this;
    if (this.#random() < faults.noSpace) throw fault('ENOSPC', path);
    const isShort = this.#random() < faults.shortWrite;
    const asked = isShort ? Math.ceil(this.#random() * bytes.length) : bytes.length;
    const room = Math.max(0, inode.cached.length - position) + faults.freeBytes;
    const taken = Math.min(asked, room);
    if (taken === 0 && bytes.length > 0) throw fault('ENOSPC', path);
    faults.freeBytes -= Math.max(0, position + taken - inode.cached.length);
    inode.write(position, bytes.subarray(0, taken));
    return taken;
  }

  #sync(inode: FaultyInode, path: string): void {
    this.syncs += 1;
    if (this.#random() >= this.faults.failSync) {
      inode.sync();
      return;
    }
    inode.failSync(this.#random);
    throw fault('EIO', path);
  }
}

function fault(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: injected, ${path}`), { code });
}
