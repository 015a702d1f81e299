/** FNV-1a over everything that happened: two runs are the same if and only if their digests are. */
export class Digest {
  #low = 0x811c_9dc5;
  #high = 0x1234_5678;

  bytes(bytes: Uint8Array): void {
    let low = this.#low;
    let high = this.#high;
    for (let i = 0; i < bytes.length; i += 1) {
      low = Math.imul(low ^ (bytes[i] as number), 0x0100_0193);
      high = Math.imul(high ^ low, 0x85eb_ca6b);
    }
    this.#low = low;
    this.#high = high;
  }

  number(value: number): void {
    this.#low = Math.imul(this.#low ^ Math.floor(value), 0x0100_0193);
    this.#high = Math.imul(this.#high ^ Math.floor(value * 1000), 0x85eb_ca6b);
  }

  get text(): string {
    const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }
}
