import { murmur2 } from '../model/murmur2.ts';
import { CLASS_NAMES } from '../model/reading.ts';
import type { Series } from '../model/window.ts';
import type { ClassState } from './class-state.ts';
import type { WindowStore } from './window-store.ts';

/** A series as aggregation owns it: what others see, with the stores to write to. */
export interface OwnedSeries extends Series {
  readonly windows: (WindowStore | undefined)[];
}

/** A device that has sent a frame. */
export class Device {
  readonly path: string;
  readonly key: Uint8Array;
  /** By class. */
  readonly classes: (ClassState | undefined)[] = CLASS_NAMES.map(() => undefined);
  /** By the topic below the device path. */
  readonly series = new Map<string, OwnedSeries>();
  /** Another device whose path has the same hash. */
  sameHash: Device | undefined;

  constructor(path: string, key: Uint8Array) {
    this.path = path;
    this.key = key;
  }
}

/** Devices by path and by the path's bytes: finding the device of a record allocates nothing. */
export class DeviceTable {
  readonly #byHash = new Map<number, Device>();
  readonly #byPath = new Map<string, Device>();
  readonly #utf8 = new TextDecoder();

  /** The device of a record's key, new if need be. */
  of(key: Uint8Array): Device {
    return this.find(key) ?? this.#add(key);
  }

  /** The device of a record's key, if it has sent a frame. */
  find(key: Uint8Array): Device | undefined {
    let device = this.#byHash.get(murmur2(key));
    while (device !== undefined && !sameBytes(device.key, key)) device = device.sameHash;
    return device;
  }

  /** The device of a path, if it has sent a frame. */
  at(path: string): Device | undefined {
    return this.#byPath.get(path);
  }

  #add(key: Uint8Array): Device {
    const hash = murmur2(key);
    const device = new Device(this.#utf8.decode(key), key.slice());
    device.sameHash = this.#byHash.get(hash);
    this.#byHash.set(hash, device);
    this.#byPath.set(device.path, device);
    return device;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
