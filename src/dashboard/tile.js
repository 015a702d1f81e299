/** One figure with its curve, or with a bar where it has a most. */

import { colour, drawSpark } from './spark.js';

/** @typedef {import('./figures.js').Figure} Figure */

const CURVE_SAMPLES = 60;

/** Colours of a curve, by how it stands. */
const CURVES = /** @type {const} */ ({
  calm: ['--accent', '--band'],
  watch: ['--accent', '--band'],
  hold: ['--warn', '--warn-ground'],
  bad: ['--bad', '--bad-ground'],
});

/** A tile of `.gauges`. Its size never depends on what it shows. */
export class Tile {
  #root = document.createElement('div');
  #value = document.createElement('dd');
  #note = document.createElement('dd');
  #picture;

  /** @param {HTMLElement} root @param {Figure} figure */
  constructor(root, { label, meter }) {
    const term = document.createElement('dt');
    term.textContent = label;
    this.#root.className = 'gauge';
    this.#note.className = 'note';
    this.#picture = meter ? new Meter(meter.parts.length) : new Curve();
    this.#root.append(term, this.#value, this.#note, this.#picture.element);
    root.append(this.#root);
  }

  /** @param {Figure} figure */
  show(figure) {
    const { text, note, title, look = 'calm' } = figure;
    this.#value.textContent = text;
    this.#note.textContent = note;
    this.#root.dataset['look'] = look;
    // Written anew it would vanish under the pointer of who reads it.
    if (this.#root.title !== title) this.#root.title = title;
    this.#picture.show(figure);
  }
}

/** The last minute of a figure. */
class Curve {
  element = document.createElement('canvas');
  #values = new Float64Array(CURVE_SAMPLES).fill(Number.NaN);

  constructor() {
    this.element.setAttribute('aria-hidden', 'true');
  }

  /** @param {Figure} figure */
  show({ value, look = 'calm', line, top }) {
    this.#values.copyWithin(0, 1);
    this.#values[CURVE_SAMPLES - 1] = value;
    const [stroke, fill] = CURVES[look];
    const colours = { stroke: colour(stroke), fill: colour(fill), faint: colour('--muted') };
    drawSpark(this.element, this.#values, { ...colours, fromZero: true, line, top });
  }
}

/** Parts of a whole, side by side, and a mark. */
class Meter {
  element = document.createElement('dd');
  #parts;
  #mark = document.createElement('b');

  /** @param {number} parts */
  constructor(parts) {
    this.element.className = 'meter';
    this.element.setAttribute('aria-hidden', 'true');
    this.#parts = Array.from({ length: parts }, () => document.createElement('i'));
    this.element.append(...this.#parts, this.#mark);
  }

  /** @param {Figure} figure */
  show({ meter }) {
    let from = 0;
    this.#parts.forEach((element, i) => {
      const part = Math.min(1 - from, Math.max(0, meter?.parts[i] || 0));
      element.style.left = percent(from);
      element.style.width = percent(part);
      from += part;
    });
    this.#mark.hidden = meter?.mark === undefined;
    this.#mark.style.left = percent(meter?.mark ?? 0);
  }
}

/** @param {number} part */
const percent = (part) => `${(100 * part).toFixed(2)}%`;
