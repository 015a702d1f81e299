/** The chosen series: its subscription, its figures and its chart. */

import { Chart } from './chart.js';
import { formatAge, formatCount, formatTime, formatValue } from './format.js';
import { eachRow, Windows } from './windows.js';

/** @typedef {import('./windows.js').Row} Row */

const CHART_AGGREGATES = ['n', 'min', 'max', 'mean', 'last', 'tlast'];
/** As much past as the gateway keeps of 1 s windows. Units: ms. */
const HISTORY_MS = 300_000;
const CAPACITY = 512;
const CREDIT_BYTES = 65_536;
const REFRESH_MS = 250;
/** Someone who walks down the list does not want every series on the way. */
const SETTLE_MS = 120;
const STATUS_WORDS = ['provisional', 'final', 'corrected'];

/** @param {string} id */
const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Shows one series; `choose` changes which. */
export class Chosen {
  #session;
  #lengthUs;
  #chart;
  #windows;
  #channel = 0;
  #timer = 0;
  #isOther = true;
  /** @type {number | null} */
  #pointed = null;
  topic = '';
  #unit = '';

  /** @param {import('./session.js').Session} session @param {number} lengthUs */
  constructor(session, lengthUs) {
    this.#session = session;
    this.#lengthUs = lengthUs;
    this.#windows = new Windows(lengthUs, CAPACITY);
    this.#chart = new Chart(find('chart'), {
      nowUs: () => session.nowUs,
      onPoint: (index) => {
        this.#pointed = index;
        this.#showPointed();
      },
    });
    for (const input of document.querySelectorAll('input[name=span]')) {
      input.addEventListener('change', (event) => {
        this.#chart.span = Number(/** @type {HTMLInputElement} */ (event.target).value);
      });
    }
  }

  /** Time of the newest reading shown. Units: µs; NaN without one. */
  get newestUs() {
    return this.#windows.newest()?.tlast ?? Number.NaN;
  }

  /** @param {string} topic @param {string} unit */
  choose(topic, unit) {
    this.#unit = unit;
    if (topic === this.topic) return;
    this.topic = topic;
    this.#windows = new Windows(this.#lengthUs, CAPACITY);
    this.#isOther = true;
    this.#showName();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#subscribe(), this.#channel === 0 ? 0 : SETTLE_MS);
  }

  #subscribe() {
    if (this.#channel !== 0) this.#session.unsubscribe(this.#channel);
    const { topic } = this;
    this.#channel = this.#session.subscribe(
      {
        p: [topic],
        win: this.#lengthUs / 1000,
        agg: CHART_AGGREGATES,
        r: REFRESH_MS,
        hist: HISTORY_MS,
        lim: CREDIT_BYTES,
      },
      {
        onBlock: (block, names) => {
          if (topic === this.topic) this.#take(block, names);
        },
        onLive: (names) => {
          if (topic === this.topic && names.size === 0) this.#forget();
        },
      },
    );
  }

  /** @param {import('./session.js').Block} block @param {import('./session.js').Names} names */
  #take(block, names) {
    eachRow(block, CHART_AGGREGATES, (no, row) => {
      const name = names.get(no);
      if (name?.topic !== this.topic) return;
      this.#unit = name.unit;
      this.#windows.put(block.cl ?? 0, row);
    });
    const rows = this.#windows.since(this.#windows.newestStart - HISTORY_MS * 1000);
    this.#chart.show(rows, { lengthUs: this.#lengthUs, isOther: this.#isOther });
    this.#isOther = false;
    document.documentElement.dataset['points'] = String(rows.length);
    this.tick();
    this.#showPointed();
  }

  /** The gateway does not know this series (any more): what it held is gone. */
  #forget() {
    this.#windows = new Windows(this.#lengthUs, CAPACITY);
    this.#chart.show([], { lengthUs: this.#lengthUs, isOther: true });
    delete document.documentElement.dataset['newest'];
    delete document.documentElement.dataset['points'];
    find('now-value').textContent = '–';
    find('age').textContent = 'no such series yet, waiting for it';
  }

  /** Figures and ages; called at each update and twice a second. */
  tick() {
    const newest = this.#windows.newest();
    const isText = typeof newest?.last === 'string';
    find('text-note').hidden = !isText;
    find('now-value').hidden = isText;
    find('now-value').textContent = newest && !isText ? formatValue(newest.mean) : '–';
    find('unit').textContent = this.#unit;
    if (newest === undefined) return;
    if (isText) find('text-value').textContent = String(newest.last);
    document.documentElement.dataset['newest'] = String(newest.tlast);
    find('age').textContent = `newest point ${formatAge(this.#session.nowUs - newest.tlast)} old`;
  }

  #showName() {
    const cut = this.topic.lastIndexOf('/') + 1;
    find('path').textContent = this.topic.slice(0, cut);
    find('leaf').textContent = this.topic.slice(cut);
    find('age').textContent = 'waiting for its first point';
    document.title = `${this.topic} · Tidegate`;
    document.documentElement.dataset['topic'] = this.topic;
    delete document.documentElement.dataset['newest'];
  }

  /** The figures of the window under the pointer, or of the newest. */
  #showPointed() {
    const start = this.#pointed === null ? undefined : this.#chart.starts[this.#pointed];
    const row = start === undefined ? this.#windows.newest() : this.#windows.at(start);
    if (row === undefined) return;
    find('at').textContent = formatTime(row.start);
    find('mean').textContent = formatValue(row.mean);
    find('min').textContent = formatValue(row.min);
    find('max').textContent = formatValue(row.max);
    find('n').textContent = formatCount(row.n);
    find('status').textContent = STATUS_WORDS[row.st] ?? '';
  }
}
