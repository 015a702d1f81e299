/** The list of series: only the rows in sight exist, and they are drawn once a second. */

import { formatAge, formatValue } from './format.js';
import { CURVE_WINDOWS, SILENT_US } from './series-book.js';
import { colour, drawSpark } from './spark.js';

/** @typedef {import('./series-book.js').Entry} Entry */

/** Height of a row, as the style sheet has it. Units: CSS px. */
const ROW_PX = 52;
/** Rows beyond the edges, so that a scroll does not show blanks. */
const SPARE_ROWS = 3;

/** Draws a `SeriesBook` and tells which series a person chose. */
export class SeriesList {
  #root;
  #space;
  #book;
  #onChoose;
  /** @type {Row[]} */
  #rows = [];
  #chosen = '';
  #nowUs = 0;
  #isScheduled = false;

  /**
   * @param {HTMLElement} root the element that scrolls
   * @param {import('./series-book.js').SeriesBook} book
   * @param {(topic: string) => void} onChoose
   */
  constructor(root, book, onChoose) {
    this.#root = root;
    this.#book = book;
    this.#onChoose = onChoose;
    this.#space = document.createElement('div');
    this.#space.className = 'space';
    this.#space.setAttribute('role', 'presentation');
    root.append(this.#space);
    root.addEventListener('scroll', () => this.#schedule(), { passive: true });
    root.addEventListener('keydown', (event) => this.#pressed(event));
    new ResizeObserver(() => this.#schedule()).observe(root);
  }

  /** @param {string} topic @param {{ reveal?: boolean }} [how] */
  choose(topic, { reveal = false } = {}) {
    this.#chosen = topic;
    if (reveal) this.#reveal();
    this.#schedule();
  }

  /** Draws the rows in sight. @param {number} nowUs the server's time */
  draw(nowUs) {
    this.#nowUs = nowUs;
    const { shown } = this.#book;
    this.#fit();
    const first = Math.max(0, Math.floor(this.#root.scrollTop / ROW_PX) - SPARE_ROWS);
    const count = Math.ceil(this.#root.clientHeight / ROW_PX) + 2 * SPARE_ROWS;
    const visible = shown.slice(first, first + count);
    while (this.#rows.length < visible.length) this.#rows.push(this.#addRow());
    this.#rows.forEach((row, i) => {
      const entry = visible[i];
      if (entry === undefined) row.hide();
      else row.show(entry, { index: first + i, isChosen: entry.topic === this.#chosen, nowUs });
    });
    const chosen = visible.findIndex(({ topic }) => topic === this.#chosen);
    this.#root.setAttribute('aria-activedescendant', this.#rows[chosen]?.element.id ?? '');
  }

  /** Makes room for all rows, so that there is somewhere to scroll to. */
  #fit() {
    const height = `${this.#book.shown.length * ROW_PX}px`;
    if (this.#space.style.height !== height) this.#space.style.height = height;
  }

  #addRow() {
    const row = new Row(`row-${this.#rows.length}`, (topic) => this.#onChoose(topic));
    this.#space.append(row.element);
    return row;
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.draw(this.#nowUs);
    });
  }

  #chosenIndex() {
    return this.#book.shown.findIndex(({ topic }) => topic === this.#chosen);
  }

  #reveal() {
    const top = this.#chosenIndex() * ROW_PX;
    if (top < 0) return;
    this.#fit();
    const { scrollTop, clientHeight } = this.#root;
    if (top < scrollTop) this.#root.scrollTop = top;
    else if (top + ROW_PX > scrollTop + clientHeight) {
      this.#root.scrollTop = top + ROW_PX - clientHeight;
    }
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const { shown } = this.#book;
    const index = Math.min(Math.max(this.#chosenIndex() + step, 0), shown.length - 1);
    const entry = shown[index];
    if (entry) this.#onChoose(entry.topic);
  }
}

/** One row of the screen; it shows now this series and now that. */
class Row {
  element = document.createElement('div');
  #path = span('path');
  #leaf = span('leaf');
  #age = span('age');
  #value = span('value');
  #unit = span('unit');
  #canvas = document.createElement('canvas');
  #curve = new Float64Array(CURVE_WINDOWS);
  #topic = '';

  /** @param {string} id @param {(topic: string) => void} onChoose */
  constructor(id, onChoose) {
    this.element.id = id;
    const topic = span('topic');
    const figure = span('figure');
    topic.append(this.#path, this.#leaf);
    figure.append(this.#value, this.#unit);
    this.element.className = 'row';
    this.element.setAttribute('role', 'option');
    this.element.append(topic, figure, this.#age, this.#canvas);
    this.element.addEventListener('click', () => onChoose(this.#topic));
  }

  hide() {
    this.element.hidden = true;
  }

  /** @param {Entry} entry @param {{ index: number, isChosen: boolean, nowUs: number }} place */
  show(entry, { index, isChosen, nowUs }) {
    const { topic, unit, windows } = entry;
    if (this.#topic !== topic) this.#name(topic);
    const newest = windows.newest();
    this.element.hidden = false;
    this.element.style.transform = `translateY(${index * ROW_PX}px)`;
    this.element.setAttribute('aria-selected', String(isChosen));
    setText(this.#value, newest ? valueText(newest) : '–');
    setText(this.#unit, unit);
    setText(this.#age, newest ? formatAge(nowUs - newest.tlast) : '');
    this.#age.classList.toggle('old', newest !== undefined && nowUs - newest.tlast > SILENT_US);
    this.#draw(windows, nowUs);
  }

  /** @param {string} topic */
  #name(topic) {
    const cut = topic.lastIndexOf('/') + 1;
    this.#topic = topic;
    this.element.title = topic;
    setText(this.#path, topic.slice(0, cut));
    setText(this.#leaf, topic.slice(cut));
  }

  /** @param {import('./windows.js').Windows} windows @param {number} nowUs */
  #draw(windows, nowUs) {
    const { lengthUs } = windows;
    const end = Math.max(windows.newestStart, Math.floor(nowUs / lengthUs) * lengthUs);
    const curve = this.#curve.fill(Number.NaN);
    for (const { start, mean } of windows.since(end - (CURVE_WINDOWS - 1) * lengthUs)) {
      curve[CURVE_WINDOWS - 1 - Math.round((end - start) / lengthUs)] = mean;
    }
    drawSpark(this.#canvas, curve, { stroke: colour('--spark') });
  }
}

/** @param {import('./windows.js').Row} row */
function valueText({ mean, last }) {
  if (!Number.isNaN(mean)) return formatValue(mean);
  return typeof last === 'string' ? `“${last}”` : '–';
}

/** @param {string} name */
function span(name) {
  const element = document.createElement('span');
  element.className = name;
  return element;
}

/** Touches the page only where something changed. @param {HTMLElement} element @param {string} text */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
