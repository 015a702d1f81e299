/** When the network goes away. */
export interface WeatherOptions {
  /** The first cut. Units: ms after the start. */
  readonly firstMs: number;
  /** From one cut to the next. Units: ms. */
  readonly everyMs: number;
  /** How long the network stays away; 0: connections are cut, and the next ones succeed. */
  readonly awayMs: number;
}

/** Cuts of the network that a whole fleet lives through, as a function of time. */
export class Weather {
  readonly #options: WeatherOptions;
  readonly #startMs: number;
  /** How many cuts have been told. */
  #cuts = 0;

  constructor(options: WeatherOptions, startMs: number) {
    this.#options = options;
    this.#startMs = startMs;
  }

  /** When the next cut comes. Units: ms. */
  get cutAtMs(): number {
    const { firstMs, everyMs } = this.#options;
    return this.#startMs + firstMs + this.#cuts * everyMs;
  }

  /** True once for every cut that is due. */
  isCutDue(nowMs: number): boolean {
    if (nowMs < this.cutAtMs) return false;
    this.#cuts += 1;
    return true;
  }

  /** The network is there. */
  isUp(nowMs: number): boolean {
    const { firstMs, everyMs, awayMs } = this.#options;
    const since = nowMs - this.#startMs - firstMs;
    return since < 0 || since % everyMs >= awayMs;
  }
}
