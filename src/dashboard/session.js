/**
 * A dashboard's side of `tidegate.v1.json`: subscriptions, credit, and the reconnect policy.
 * Source: PROTOCOL App. C, §10.3, §11.
 */

import { Connection, FIX_FIRST, MOVE_SPREAD_MS } from './connection.js';

/**
 * @typedef {{ t: number, dt?: number, i: number | number[], d?: number[], v: unknown[],
 *   st?: number, cl?: number }} Block
 * @typedef {{ topic: string, unit: string }} Name
 * @typedef {Map<number, Name>} Names
 * @typedef {{ p: string[], win: number, agg: string[], r?: number, hist?: number, lim: number }} Sub
 * @typedef {{ k: string, c: number, n: number, b: Block[], ser?: [number, string, string?][],
 *   gone?: number[], st: number, e: number, m?: string, w?: number, dl?: number, hb: number,
 *   now?: number, over?: number }} Message anything the server sends; `k` tells which keys it has
 */

/**
 * What a subscription is told.
 * @typedef {object} Sink
 * @property {(block: Block, names: Names) => void} onBlock
 * @property {(topic: string) => void} [onGone] a series ended
 * @property {(names: Names, over: number) => void} [onLive] the picture is complete: a series not
 *   in `names` is gone; `over` more match than can be numbered
 * @property {(code: number, text: string) => void} [onEnd] refused or withdrawn
 */

/**
 * @typedef {{ kind: 'connecting' } | { kind: 'open' } |
 *   { kind: 'waiting', code: number, untilMs: number } | { kind: 'stopped', code: number }} Status
 */

const COST_PER_MESSAGE = 64;
const HEALTHY_MS = 60_000;
const BACKOFF_FIRST_MS = 1000;
const BACKOFF_MAX_MS = 60_000;
const CHANNEL_MAX = 65_535;
const UNAUTHENTICATED = 4003;

/** One open subscription: what was asked for, and where its connection stands. */
class Channel {
  /** @type {Names} */
  names = new Map();
  n = 0;
  lim = 0;
  over = 0;

  /** @param {Sub} sub @param {Sink} sink */
  constructor(sub, sink) {
    this.sub = sub;
    this.sink = sink;
  }
}

/** Keeps a connection to the gateway for as long as the page is open. */
export class Session {
  #url;
  #token;
  #onStatus;
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {Map<number, Channel>} */
  #channels = new Map();
  /** Channels told to end whose last word is still to come; their numbers are not free. */
  #ending = new Set();
  #lastChannel = 0;
  #failures = 0;
  /** A new token was tried since the last welcome. */
  #isRetried = false;
  #isOpen = false;
  /** Server clock minus ours. */
  #clockUs = 0;
  #encoder = new TextEncoder();

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {() => Promise<string | undefined>} options.token asked for every connection
   * @param {(status: Status) => void} options.onStatus
   */
  constructor({ url, token, onStatus }) {
    this.#url = url;
    this.#token = token;
    this.#onStatus = onStatus;
  }

  /** The server's time as far as we know. Units: µs. */
  get nowUs() {
    return Date.now() * 1000 + this.#clockUs;
  }

  /**
   * Subscribes, and again after every reconnect, until `unsubscribe` of the number returned.
   * @param {Sub} sub
   * @param {Sink} sink
   */
  subscribe(sub, sink) {
    const c = this.#freeChannel();
    const channel = new Channel(sub, sink);
    this.#channels.set(c, channel);
    if (this.#isOpen) this.#sendSub(c, channel);
    return c;
  }

  /** @param {number} c */
  unsubscribe(c) {
    if (!this.#channels.delete(c) || !this.#isOpen) return;
    this.#ending.add(c);
    this.#say({ k: 'end', c });
  }

  /** Connects, also once more after `stopped`. */
  async start() {
    this.#onStatus({ kind: 'connecting' });
    const tok = await this.#token();
    const socket = new WebSocket(this.#url, 'tidegate.v1.json');
    this.#socket = socket;
    new Connection(socket, {
      hello: { k: 'hello', ua: 'tidegate-page', now: Date.now() * 1000, ...(tok ? { tok } : {}) },
      onMessage: (message, text) => this.#receive(message, text),
      onClose: (end) => this.#closed(end),
    });
  }

  /** @param {Message} m @param {string} text */
  #receive(m, text) {
    if (m.now !== undefined) this.#clockUs = m.now - Date.now() * 1000;
    if (m.k === 'welcome') return this.#welcomed();
    const channel = this.#channels.get(m.c);
    if (m.k === 'state' && m.st === 4) this.#ending.delete(m.c);
    if (channel === undefined) return;
    if (m.k === 'def') this.#define(channel, m);
    if (m.k === 'data') {
      channel.n = m.n;
      for (const block of m.b) channel.sink.onBlock(block, channel.names);
    }
    if (m.k === 'def' || m.k === 'data') this.#grant(m.c, channel, text);
    if (m.k === 'state') this.#stated(m, channel);
  }

  #welcomed() {
    this.#isRetried = false;
    this.#isOpen = true;
    this.#ending.clear();
    this.#onStatus({ kind: 'open' });
    for (const [c, channel] of this.#channels) this.#sendSub(c, channel);
  }

  /** @param {Channel} channel @param {Message} m */
  #define({ names, sink }, m) {
    for (const [no, topic, unit] of m.ser ?? []) names.set(no, { topic, unit: unit ?? '' });
    for (const no of m.gone ?? []) {
      const name = names.get(no);
      names.delete(no);
      if (name) sink.onGone?.(name.topic);
    }
  }

  /** @param {Message} m @param {Channel} channel */
  #stated(m, channel) {
    channel.over = m.over ?? channel.over;
    if (m.st === 0) channel.names.clear();
    if (m.st === 2) channel.sink.onLive?.(channel.names, channel.over);
    if (m.st !== 4) return;
    this.#channels.delete(m.c);
    channel.sink.onEnd?.(m.e, m.m ?? '');
  }

  /**
   * What was processed may be sent again. Source: [R11.5-1].
   * @param {number} c
   * @param {Channel} channel
   * @param {string} text
   */
  #grant(c, channel, text) {
    channel.lim += this.#encoder.encode(text).length + COST_PER_MESSAGE;
    this.#say({ k: 'flow', f: [[c, channel.n, channel.lim]] });
  }

  /** @param {number} c @param {Channel} channel */
  #sendSub(c, channel) {
    channel.n = 0;
    channel.lim = channel.sub.lim;
    this.#say({ k: 'sub', c, ...channel.sub });
  }

  /** @param {object} message */
  #say(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #freeChannel() {
    do {
      this.#lastChannel = (this.#lastChannel % CHANNEL_MAX) + 1;
    } while (this.#channels.has(this.#lastChannel) || this.#ending.has(this.#lastChannel));
    return this.#lastChannel;
  }

  /** @param {import('./connection.js').Ended} end */
  #closed({ code, waitMs, upMs }) {
    this.#isOpen = false;
    if (upMs > HEALTHY_MS) this.#failures = 0;
    if (code === UNAUTHENTICATED && !this.#isRetried) {
      this.#isRetried = true;
      return void this.start();
    }
    if (FIX_FIRST.includes(code) || (code >= 4000 && code < 4100)) {
      return this.#onStatus({ kind: 'stopped', code });
    }
    const delayMs = this.#delayMs(code, waitMs);
    this.#onStatus({ kind: 'waiting', code, untilMs: Date.now() + delayMs });
    setTimeout(() => void this.start(), delayMs);
  }

  /** Policies B and C of §10.3. @param {number} code @param {number} waitMs */
  #delayMs(code, waitMs) {
    if (code >= 4200) return Math.random() * (waitMs || MOVE_SPREAD_MS);
    const most = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.#failures++);
    return waitMs + Math.random() * most;
  }
}
