/** The token of this page, and requests that carry it. No DOM. */

const KEY = 'tidegate.token';
/** What no token holds; some of it no header may hold. */
const FOREIGN = /[^\w.-]/;
const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
const TOO_MANY = 429;

/**
 * What came of asking the gateway: its figures; nothing, as it did not answer; or why it does not
 * let this page in, in a sentence.
 * @typedef {{ kind: 'in', api: { windows?: number[] } } | { kind: 'silent' } |
 *   { kind: 'refused', why: string }} Asked
 */

/** Who this page is. The token is kept for this tab alone and is gone when the tab is closed. */
export class Access {
  /** @type {string | undefined} */
  #token;
  #storage;

  /** @param {Storage | undefined} storage */
  constructor(storage) {
    this.#storage = storage;
    this.#token = storage?.getItem(KEY) ?? undefined;
  }

  get token() {
    return this.#token;
  }

  /** @param {string} token */
  use(token) {
    this.#token = token;
    this.#storage?.setItem(KEY, token);
  }

  /** @param {string} path @param {RequestInit} [init] */
  fetch(path, init) {
    const headers = this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` };
    return fetch(path, { ...init, headers });
  }

  /** Asks for the figures of the gateway, and so whether this page is let in. @returns {Promise<Asked>} */
  async ask() {
    if (this.#token !== undefined && FOREIGN.test(this.#token)) {
      return { kind: 'refused', why: 'a token is made of letters, digits and . _ -' };
    }
    try {
      const response = await this.fetch('/api');
      if (response.ok) return { kind: 'in', api: await response.json() };
      return await this.#refused(response);
    } catch {
      // No gateway, or something else in its place: the session tells, and tries again.
      return { kind: 'silent' };
    }
  }

  /** @param {Response} response @returns {Promise<Asked>} */
  async #refused(response) {
    const { status } = response;
    if (status !== UNAUTHORIZED && status !== FORBIDDEN && status !== TOO_MANY) {
      return { kind: 'silent' };
    }
    if (this.#token === undefined) return { kind: 'refused', why: '' };
    const { message } = await response.json();
    return { kind: 'refused', why: String(message) };
  }
}

/** The storage of this tab; a browser may forbid it, and then the token lives as long as the page. */
export function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}
