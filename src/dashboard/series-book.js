/** All series that the gateway shows us, with their last windows. Pure: no DOM, no clock. */

import { eachRow, Windows } from './windows.js';

/** Aggregates that the list asks for, in column order. */
export const LIST_AGGREGATES = ['n', 'mean', 'last', 'tlast'];
/** Windows kept for the small curve of a row. */
export const CURVE_WINDOWS = 45;

/** A series whose newest reading is older than this is silent. Units: µs. */
export const SILENT_US = 10_000_000;

/** @typedef {{ topic: string, unit: string, windows: Windows, key: string }} Entry */

/** The series by topic. Bounds: what one subscription numbers, 5 000. */
export class SeriesBook {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** @type {Entry[]} sorted by topic, filtered */
  #shown = [];
  #isStale = false;
  /** @type {string[]} words that a topic must all contain, in lower case */
  #words = [];
  #lengthUs;

  /** @param {number} lengthUs length of the windows */
  constructor(lengthUs) {
    this.#lengthUs = lengthUs;
  }

  get size() {
    return this.#entries.size;
  }

  /** @param {string} topic */
  get(topic) {
    return this.#entries.get(topic);
  }

  /** Entries that pass the filter, by topic. */
  get shown() {
    if (this.#isStale) this.#sort();
    return this.#shown;
  }

  /** The first of them that is live. @param {number} nowUs the server's time */
  firstLive(nowUs) {
    return this.shown.find(({ windows }) => {
      const newest = windows.newest();
      return newest !== undefined && nowUs - newest.tlast <= SILENT_US;
    });
  }

  /** @param {string} text words in any order; each must be in the topic or be the unit */
  filter(text) {
    this.#words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.#isStale = true;
  }

  /** @param {import('./session.js').Block} block @param {import('./session.js').Names} names */
  take(block, names) {
    eachRow(block, LIST_AGGREGATES, (no, row) => {
      const name = names.get(no);
      if (name) this.#entry(name).windows.put(block.cl ?? 0, row);
    });
  }

  /** @param {string} topic */
  remove(topic) {
    if (this.#entries.delete(topic)) this.#isStale = true;
  }

  /** The picture is complete: what is not in it is gone. @param {import('./session.js').Names} names */
  complete(names) {
    const topics = new Set();
    for (const name of names.values()) topics.add(this.#entry(name).topic);
    for (const topic of this.#entries.keys()) if (!topics.has(topic)) this.remove(topic);
  }

  /** @param {import('./session.js').Name} name @returns {Entry} */
  #entry({ topic, unit }) {
    let entry = this.#entries.get(topic);
    if (entry === undefined) {
      const windows = new Windows(this.#lengthUs, CURVE_WINDOWS);
      entry = { topic, unit, windows, key: `${topic} ${unit}`.toLowerCase() };
      this.#entries.set(topic, entry);
      this.#isStale = true;
    }
    entry.unit = unit;
    return entry;
  }

  #sort() {
    this.#isStale = false;
    this.#shown = [...this.#entries.values()]
      .filter(({ key }) => this.#words.every((word) => key.includes(word)))
      .sort((a, b) => (a.topic < b.topic ? -1 : 1));
  }
}
