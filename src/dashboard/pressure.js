/** How the gateway stands, as a name, a sentence, and the steps of its ladder. */

import { LADDER } from './standing.js';

/** The first tile of the credit figures. */
export class PressureTile {
  #root;
  #name = document.createElement('dd');
  #why = document.createElement('dd');
  #steps = LADDER.map(() => document.createElement('i'));

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = document.createElement('div');
    const term = document.createElement('dt');
    const ladder = document.createElement('dd');
    term.textContent = 'Pressure';
    ladder.className = 'ladder';
    ladder.setAttribute('aria-hidden', 'true');
    ladder.append(...this.#steps);
    this.#root.className = 'gauge pressure';
    this.#name.className = 'name';
    this.#name.setAttribute('role', 'status');
    this.#why.className = 'why';
    this.#root.append(term, this.#name, this.#why, ladder);
    root.append(this.#root);
  }

  /** @param {import('./standing.js').Pressure} pressure */
  show({ name, why, look, rung }) {
    // A screen reader tells what is written, so it is written only when it is another.
    if (this.#name.textContent !== name) this.#name.textContent = name;
    this.#why.textContent = why;
    this.#root.dataset['look'] = look;
    for (const [i, step] of this.#steps.entries()) step.classList.toggle('lit', i <= rung);
    const ladder = Number.isNaN(rung) ? [] : ['', `Rung ${rung} of:`, ...LADDER];
    const title = [why, ...ladder].join('\n');
    if (this.#root.title !== title) this.#root.title = title;
  }
}
