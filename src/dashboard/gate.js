/** The form that asks for a token, as often as the gateway wants one that it takes. */

/**
 * @typedef {import('./access.js').Access} Access
 * @typedef {{ api: { windows?: number[] }, wasAsking: boolean }} Passed the figures of the gateway,
 *   none if it was silent, and whether a person was asked
 */

/** @param {string} id */
const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const { dataset } = document.documentElement;

/** Lets the page in. */
export class Gate {
  #access;
  /** @type {Promise<Passed> | undefined} */
  #passing;

  /** @param {Access} access */
  constructor(access) {
    this.#access = access;
  }

  /** A person is being asked. */
  get isAsking() {
    return !find('ask').hidden;
  }

  /** Resolves once the gateway lets this page in, or if it is silent. */
  pass() {
    this.#passing ??= this.#pass().finally(() => {
      this.#passing = undefined;
    });
    return this.#passing;
  }

  /** @returns {Promise<Passed>} */
  async #pass() {
    for (let wasAsking = false; ; wasAsking = true) {
      const asked = await this.#access.ask();
      if (asked.kind !== 'refused') {
        find('ask').hidden = true;
        return { api: asked.kind === 'in' ? asked.api : {}, wasAsking };
      }
      this.#access.use(await this.#askPerson(asked.why));
    }
  }

  /** @param {string} why @returns {Promise<string>} */
  #askPerson(why) {
    const input = /** @type {HTMLInputElement} */ (find('token'));
    const form = /** @type {HTMLFormElement} */ (find('ask-form'));
    find('ask').hidden = false;
    find('again').hidden = true;
    find('state').textContent = 'needs a token';
    dataset['state'] = 'stopped';
    find('ask-why').textContent = why === '' ? '' : `That did not let you in: ${why}.`;
    find('ask-why').hidden = why === '';
    input.focus();
    input.select();
    return new Promise((resolve) => {
      form.onsubmit = (event) => {
        event.preventDefault();
        const token = input.value.trim();
        if (token !== '') resolve(token);
      };
    });
  }
}
