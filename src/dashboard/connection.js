/**
 * One WebSocket from `hello` to its close: last words and liveness.
 * Source: PROTOCOL App. C, §8, §10.1.
 */

/** Codes of the WebSocket layer after which trying again unchanged is no use. */
export const FIX_FIRST = [1002, 1003, 1007, 1009];
/** How long moves are spread over when the server does not say. Units: ms. */
export const MOVE_SPREAD_MS = 10_000;

const HEARTBEAT_MS = 20_000;
const BEAT_CHECK_MS = 5000;
const SILENCE_MAX_BEATS = 2.5;
const ABNORMAL = 1006;
const BAD_FRAME = 4000;

/** @typedef {{ code: number, waitMs: number, upMs: number }} Ended */

/**
 * @typedef {import('./session.js').Message} Message
 */

/** The connection; it ends with exactly one call of `onClose`. */
export class Connection {
  #socket;
  #options;
  #hb = HEARTBEAT_MS;
  #lastMs = Date.now();
  #askedMs = 0;
  #upMs = 0;
  #code = ABNORMAL;
  /** We closed because of what we received; the code then tells nothing of the server's wish. */
  #isOurs = false;
  #waitMs = 0;
  #beat;

  /**
   * @param {WebSocket} socket
   * @param {{ hello: object, onMessage: (message: Message, text: string) => void,
   *   onClose: (end: Ended) => void }} options
   */
  constructor(socket, options) {
    this.#socket = socket;
    this.#options = options;
    this.#beat = setInterval(() => this.#checkLife(), BEAT_CHECK_MS);
    socket.onopen = () => socket.send(JSON.stringify(options.hello));
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#closed(code);
  }

  /** @param {string} text */
  #receive(text) {
    const message = this.#parse(text);
    if (message === null) return;
    this.#lastMs = Date.now();
    if (message.k === 'welcome') {
      this.#upMs = this.#lastMs;
      this.#hb = message.hb;
    }
    if (message.k === 'away') this.#goAway(message);
    else this.#options.onMessage(message, text);
  }

  /** Something malformed ends the connection, by policy B: [R10.1-10]. @param {string} text */
  #parse(text) {
    try {
      return /** @type {Message} */ (JSON.parse(text));
    } catch {
      this.#isOurs = true;
      this.#socket.close(BAD_FRAME);
      return null;
    }
  }

  /** @param {Message} away */
  #goAway({ e, w, dl }) {
    this.#code = e;
    this.#waitMs = w ?? 0;
    if (!dl) return;
    // We leave at a moment of our own before the deadline, and come back at once.
    const stayMs = Math.random() * Math.min(this.#waitMs || MOVE_SPREAD_MS, dl);
    this.#waitMs = 1;
    setTimeout(() => this.#socket.close(1000), stayMs);
  }

  #checkLife() {
    const now = Date.now();
    const silentMs = now - this.#lastMs;
    if (silentMs > SILENCE_MAX_BEATS * this.#hb) this.#socket.close();
    else if (now - Math.max(this.#lastMs, this.#askedMs) > this.#hb && this.#upMs > 0) {
      this.#askedMs = now;
      this.#socket.send(JSON.stringify({ k: 'ping' }));
    }
  }

  /** @param {number} code */
  #closed(code) {
    clearInterval(this.#beat);
    const upMs = this.#upMs > 0 ? Date.now() - this.#upMs : 0;
    const isTelling = !this.#isOurs && (code >= 4000 || FIX_FIRST.includes(code));
    this.#options.onClose({ code: isTelling ? code : this.#code, waitMs: this.#waitMs, upMs });
  }
}
