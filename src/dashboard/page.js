/** Puts the page together: session, list, chosen series, figures of the node. */

import { Access, tabStorage } from './access.js';
import { Chosen } from './chosen.js';
import { formatCount } from './format.js';
import { Gate } from './gate.js';
import { Gauges } from './gauges.js';
import { CURVE_WINDOWS, LIST_AGGREGATES, SeriesBook } from './series-book.js';
import { SeriesList } from './series-list.js';
import { Session } from './session.js';

const DEFAULT_WINDOW_MS = 1000;
const LIST_CREDIT_BYTES = 262_144;
const LIST_REFRESH_MS = 1000;
/** Up to so many series the list asks for their past too, so that its curves are there at once. */
const PAST_SERIES_MAX = 300;
const TICK_MS = 500;

const DEFAULT_PORT = '8080';

/** Why a gateway refuses this page, where a person can do something about it. */
const REASONS = /** @type {Record<number, string>} */ ({
  4003: 'this gateway asks for a token',
  4004: 'this gateway does not let this page in',
});
/** Of these, the ones that another token may cure. */
const CREDENTIALS = [4003, 4004];

const { dataset } = document.documentElement;

/** @param {string} id */
const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const socketUrl = () => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1`;

/** Everything on the page, for as long as it is open. */
class Page {
  #access;
  #gate;
  #book;
  #session;
  #list;
  #chosen;
  #over = 0;
  /** @type {import('./session.js').Status} */
  #status = { kind: 'connecting' };
  /** The picture of the list is complete. */
  #isLive = false;
  /** Nobody chose the series that is shown: another may take its place when it goes. */
  #isAutomatic = true;

  /** @param {number} lengthMs @param {Access} access @param {Gate} gate */
  constructor(lengthMs, access, gate) {
    this.#access = access;
    this.#gate = gate;
    const lengthUs = lengthMs * 1000;
    this.#book = new SeriesBook(lengthUs);
    this.#session = new Session({
      url: socketUrl(),
      token: async () => access.token,
      onStatus: (status) => this.#stateChanged(status),
    });
    this.#list = new SeriesList(find('rows'), this.#book, (topic) => this.#choose(topic));
    this.#chosen = new Chosen(this.#session, lengthUs);
    this.#watchAll(lengthMs, 0);
    find('command').textContent += commandTail(access.token !== undefined);
    this.#listen();
  }

  start() {
    void this.#session.start();
    setInterval(() => this.#tick(), TICK_MS);
    setInterval(() => this.#list.draw(this.#session.nowUs), LIST_REFRESH_MS);
    const roots = { traffic: find('gauges'), credit: find('credit') };
    void new Gauges(roots, this.#access, (text) => {
      find('node').textContent = text;
    }).poll();
  }

  /** @param {number} win @param {number} hist */
  #watchAll(win, hist) {
    const agg = LIST_AGGREGATES;
    const channel = this.#session.subscribe(
      { p: ['#'], win, agg, r: LIST_REFRESH_MS, hist, lim: LIST_CREDIT_BYTES },
      {
        onBlock: (block, names) => this.#book.take(block, names),
        onGone: (topic) => this.#book.remove(topic),
        onLive: (names, over) => {
          this.#complete(names, over);
          if (hist > 0 || names.size === 0 || names.size > PAST_SERIES_MAX) return;
          this.#session.unsubscribe(channel);
          this.#watchAll(win, (CURVE_WINDOWS - 1) * win);
        },
      },
    );
  }

  /** @param {import('./session.js').Names} names @param {number} over */
  #complete(names, over) {
    this.#book.complete(names);
    this.#over = over;
    this.#tick();
    if (!this.#isLive) this.#list.choose(this.#chosen.topic, { reveal: true });
    this.#isLive = true;
    this.#list.draw(this.#session.nowUs);
  }

  #listen() {
    const filter = /** @type {HTMLInputElement} */ (find('filter'));
    filter.addEventListener('input', () => {
      this.#book.filter(filter.value);
      find('rows').scrollTop = 0;
      this.#list.draw(this.#session.nowUs);
      this.#tick();
    });
    addEventListener('keydown', (event) => {
      if (event.key !== '/' || event.target === filter) return;
      event.preventDefault();
      filter.focus();
    });
    addEventListener('hashchange', () => this.#followLink());
    find('again').addEventListener('click', () => void this.#session.start());
    find('copy').addEventListener('click', () => void copyCommand());
    this.#followLink();
  }

  /** A series can be linked to: `/#plant1/pump-17/temp`. */
  #followLink() {
    const topic = decodeURIComponent(location.hash.slice(1));
    if (topic === '') return;
    this.#isAutomatic = false;
    if (topic !== this.#chosen.topic) this.#show(topic);
  }

  /** @param {string} topic */
  #choose(topic) {
    this.#isAutomatic = false;
    // Walking through the list is no history; the link in the address bar follows all the same.
    history.replaceState(null, '', `#${topic}`);
    this.#show(topic);
  }

  /** @param {string} topic */
  #show(topic) {
    this.#chosen.choose(topic, this.#book.get(topic)?.unit ?? '');
    this.#list.choose(topic, { reveal: true });
  }

  /**
   * Something moves from the first moment on: the first series that is live. Where none is, the first
   * one of all will do, but only once all are known.
   */
  #chooseFirst() {
    if (!this.#isAutomatic || this.#book.get(this.#chosen.topic)) return;
    const live = this.#book.firstLive(this.#session.nowUs);
    const first = live ?? (this.#isLive ? this.#book.shown[0] : undefined);
    if (first) this.#show(first.topic);
  }

  #tick() {
    const { size, shown } = this.#book;
    this.#chooseFirst();
    const isEmpty = this.#isLive && size === 0;
    find('empty').hidden = !isEmpty;
    find('list').hidden = isEmpty;
    find('view').hidden = isEmpty || this.#chosen.topic === '';
    find('none').hidden = !(size > 0 && shown.length === 0);
    find('count').textContent = countText(size, shown.length, this.#over);
    dataset['series'] = String(size);
    this.#chosen.tick();
    this.#showState();
  }

  /** @param {import('./session.js').Status} status */
  #stateChanged(status) {
    this.#status = status;
    if (status.kind === 'stopped' && CREDENTIALS.includes(status.code)) void this.#letIn();
    else this.#showState();
  }

  /** The token expired, or the gateway has another secret. */
  async #letIn() {
    const { wasAsking } = await this.#gate.pass();
    // Else nothing has changed, and the gateway would be asked without end.
    if (wasAsking) await this.#session.start();
    else this.#showState();
  }

  #showState() {
    if (this.#gate.isAsking) return;
    const status = this.#status;
    dataset['state'] = status.kind;
    find('state').textContent = stateText(status);
    find('again').hidden = status.kind !== 'stopped';
  }
}

/** What `npm run simulate` needs to know of this gateway. @param {boolean} hasToken */
function commandTail(hasToken) {
  const flags = location.port === DEFAULT_PORT ? [] : [`--url ${socketUrl()}`];
  if (hasToken) flags.push('--secret-file FILE');
  return flags.length === 0 ? '' : ` -- ${flags.join(' ')}`;
}

/** @param {number} size @param {number} shown @param {number} over */
function countText(size, shown, over) {
  const more = over > 0 ? ` of ${formatCount(size + over)}` : '';
  if (shown !== size) return `${formatCount(shown)} of ${formatCount(size)}`;
  return `${formatCount(size)}${more} series`;
}

/** @param {import('./session.js').Status} status */
function stateText(status) {
  switch (status.kind) {
    case 'open':
      return 'live';
    case 'connecting':
      return 'connecting';
    case 'waiting': {
      const seconds = Math.max(0, Math.ceil((status.untilMs - Date.now()) / 1000));
      return seconds > 0 ? `reconnecting in ${seconds} s` : 'reconnecting';
    }
    case 'stopped':
      return REASONS[status.code] ?? `refused with code ${status.code}`;
  }
}

async function copyCommand() {
  const button = find('copy');
  await navigator.clipboard.writeText(find('command').textContent ?? '');
  button.textContent = 'copied';
  setTimeout(() => {
    button.textContent = 'copy';
  }, 1500);
}

const access = new Access(tabStorage());
const gate = new Gate(access);
const { api } = await gate.pass();
// Without an answer the page still works with a gateway of the usual figures.
new Page(Number(api.windows?.[0]) || DEFAULT_WINDOW_MS, access, gate).start();
