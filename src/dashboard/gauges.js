/** The figures of the node: `GET /api/stats` every second, as rates, quantiles and small curves. */

import { creditFiguresOf } from './credit.js';
import { figuresOf, SAMPLES_MAX } from './figures.js';
import { PressureTile } from './pressure.js';
import { pressureOf } from './standing.js';
import { Tile } from './tile.js';

/** @typedef {import('./figures.js').Stats} Stats */
/** @typedef {import('./figures.js').Figure} Figure */

const POLL_MS = 1000;

/** What an ack means, by `dur`. Source: PROTOCOL §6.4. */
const DURABILITY = ['acks mean received', 'acks mean fsynced', 'acks mean replicated'];

/** The tiles at the top of the page. */
export class Gauges {
  #access;
  #onNode;
  /** @type {Stats[]} */
  #samples = [];
  #traffic;
  #pressure;
  #credit;

  /**
   * @param {{ traffic: HTMLElement, credit: HTMLElement }} roots
   * @param {import('./access.js').Access} access
   * @param {(text: string) => void} onNode
   */
  constructor({ traffic, credit }, access, onNode) {
    this.#access = access;
    this.#onNode = onNode;
    this.#traffic = new Tiles(traffic);
    this.#pressure = new PressureTile(credit);
    this.#credit = new Tiles(credit);
  }

  /** Asks now and then every second. A node that does not answer shows as dashes. */
  async poll() {
    const stats = await this.#fetchStats();
    if (stats === null) this.#samples.length = 0;
    else this.#take(stats);
    this.#traffic.show(figuresOf(this.#samples));
    const pressure = pressureOf(this.#samples);
    this.#pressure.show(pressure);
    document.title = titleOf(pressure);
    this.#credit.show(creditFiguresOf(this.#samples));
    setTimeout(() => void this.poll(), POLL_MS);
  }

  /** @returns {Promise<Stats | null>} */
  async #fetchStats() {
    try {
      const signal = AbortSignal.timeout(3 * POLL_MS);
      const response = await this.#access.fetch('/api/stats', { signal });
      return response.ok ? await response.json() : null;
    } catch {
      // The tiles show it, and the next poll asks again.
      return null;
    }
  }

  /** @param {Stats} stats */
  #take(stats) {
    // A smaller total is another process: nothing of before can be compared with it.
    const last = this.#samples.at(-1);
    if (last && stats.atMs < last.atMs) this.#samples.length = 0;
    this.#samples.push(stats);
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    const { node, version, log, dur } = stats;
    this.#onNode(`${node} · ${log.kind} log · ${DURABILITY[dur] ?? DURABILITY[2]} · v${version}`);
  }
}

/** A tab in the background tells what is wrong. @param {import('./standing.js').Pressure} pressure */
const titleOf = ({ name, look }) =>
  look === 'hold' || look === 'bad' ? `${name} · Tidegate` : 'Tidegate';

/** Tiles side by side, one for each figure. */
class Tiles {
  #root;
  /** @type {Tile[]} */
  #tiles = [];

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
  }

  /** @param {Figure[]} figures */
  show(figures) {
    figures.forEach((figure, i) => {
      this.#tiles[i] ??= new Tile(this.#root, figure);
      this.#tiles[i].show(figure);
    });
  }
}
