/** The figures of the node: `GET /api/stats` every second, as rates, quantiles and small curves. */

import { figuresOf, SAMPLES_MAX } from './figures.js';
import { colour, drawSpark } from './spark.js';

/** @typedef {import('./figures.js').Stats} Stats */
/** @typedef {import('./figures.js').Figure} Figure */

const POLL_MS = 1000;
const CURVE_SAMPLES = 60;

/** What an ack means, by `dur`. Source: PROTOCOL §6.4. */
const DURABILITY = ['acks mean received', 'acks mean fsynced', 'acks mean replicated'];

/** The tiles at the top of the page. */
export class Gauges {
  #root;
  #access;
  #onNode;
  /** @type {Stats[]} */
  #samples = [];
  /** @type {Tile[]} */
  #tiles = [];

  /**
   * @param {HTMLElement} root
   * @param {import('./access.js').Access} access
   * @param {(text: string) => void} onNode
   */
  constructor(root, access, onNode) {
    this.#root = root;
    this.#access = access;
    this.#onNode = onNode;
  }

  /** Asks now and then every second. A node that does not answer shows as dashes. */
  async poll() {
    const stats = await this.#fetchStats();
    if (stats === null) this.#samples.length = 0;
    else this.#take(stats);
    this.#show(figuresOf(this.#samples));
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

  /** @param {Figure[]} figures */
  #show(figures) {
    figures.forEach((figure, i) => {
      this.#tiles[i] ??= new Tile(this.#root, figure.label);
      this.#tiles[i].show(figure);
    });
  }
}

/** One figure with its curve. */
class Tile {
  #value = document.createElement('dd');
  #note = document.createElement('dd');
  #canvas = document.createElement('canvas');
  #curve = new Float64Array(CURVE_SAMPLES).fill(Number.NaN);

  /** @param {HTMLElement} root @param {string} label */
  constructor(root, label) {
    const tile = document.createElement('div');
    const term = document.createElement('dt');
    tile.className = 'gauge';
    term.textContent = label;
    this.#note.className = 'note';
    this.#canvas.setAttribute('aria-hidden', 'true');
    tile.append(term, this.#value, this.#note, this.#canvas);
    root.append(tile);
  }

  /** @param {Figure} figure */
  show({ value, text, note }) {
    this.#value.textContent = text;
    this.#note.textContent = note;
    this.#curve.copyWithin(0, 1);
    this.#curve[CURVE_SAMPLES - 1] = value;
    const look = { stroke: colour('--accent'), fill: colour('--band'), fromZero: true };
    drawSpark(this.#canvas, this.#curve, look);
  }
}
