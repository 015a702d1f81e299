import { connect, type Socket } from 'node:net';
import {
  type Address,
  API,
  MessageSplitter,
  type Produced,
  producedBy,
  type RequestHead,
  type Rewriting,
  requestHead,
  rewritten,
} from './kafka-protocol.ts';

/** What becomes of a request. */
export type Fate =
  | { readonly kind: 'pass' }
  /**
   * Kept, and written when `until` resolves, whether or not the client is still there. With `isCut`
   * the client loses its connection at once, else it waits.
   */
  | { readonly kind: 'late'; readonly until: Promise<unknown>; readonly isCut: boolean }
  /** Written; its answer, and whatever follows on this connection, comes when `until` resolves. */
  | { readonly kind: 'unanswered'; readonly until: Promise<unknown> }
  /** The connection is cut and the request never reaches the broker. */
  | { readonly kind: 'lost' }
  /** Written, and then the connection is cut before the answer. */
  | { readonly kind: 'cut' }
  /** Written; the connection stays open and never says anything again. */
  | { readonly kind: 'mute' }
  /** The connection stays open, and nothing reaches the broker any more. */
  | { readonly kind: 'deaf' };

/** A request that a fate is wanted for. */
export interface SeenRequest {
  /** Number of the connection. */
  readonly link: number;
  readonly api: number;
  /** What a Produce request writes; empty for others. */
  readonly produced: readonly Produced[];
}

/** Who decides about the messages of a connection. */
export interface LinkPort extends Rewriting {
  fateOf(request: SeenRequest): Fate;
  /** The answer of a Produce request was passed on. */
  answered(request: SeenRequest): void;
  /** Both ends are gone. */
  closed(link: ProxyLink): void;
}

const PASS: Fate = { kind: 'pass' };
/** Time for the bytes of a request to leave before its connection is cut. Units: ms. */
const CUT_AFTER_MS = 10;
/** A connection whose client has gone waits so long for the broker's answers. Units: ms. */
const ORPHAN_MS_MAX = 15_000;

interface Pending {
  readonly head: RequestHead;
  readonly seen: SeenRequest;
}

/** One connection of a client, and the one to the broker behind it. */
export class ProxyLink {
  readonly #client: Socket;
  readonly #broker: Socket;
  readonly #port: LinkPort;
  readonly #id: number;
  readonly #requests = new MessageSplitter();
  readonly #answers = new MessageSplitter();
  /** Requests the broker has not answered yet, in order. */
  readonly #pending: Pending[] = [];
  /** Requests kept back; null while they pass. */
  #kept: (() => void)[] | null = null;
  /** Answers kept back; null while they pass. */
  #keptAnswers: (() => void)[] | null = null;
  #isDeaf = false;
  #isMute = false;
  #isOrphan = false;

  constructor(client: Socket, to: Address, { id, port }: { id: number; port: LinkPort }) {
    this.#client = client.setNoDelay(true);
    this.#broker = connect({ ...to, noDelay: true });
    this.#id = id;
    this.#port = port;
    client.on('data', (bytes) => this.#fromClient(bytes as Buffer));
    client.on('error', () => client.destroy());
    client.on('close', () => this.#clientLeft());
    this.#broker.on('data', (bytes) => this.#fromBroker(bytes as Buffer));
    this.#broker.on('error', () => this.#broker.destroy());
    this.#broker.on('close', () => {
      client.destroy();
      port.closed(this);
    });
  }

  /** The client has gone, and requests of it may still reach the broker. */
  get isOrphan(): boolean {
    return this.#isOrphan;
  }

  /** Ends both connections; what is kept is never written. */
  destroy(): void {
    this.#kept = null;
    this.#client.destroy();
    this.#broker.destroy();
  }

  /** Ends the client's connection; what is under way goes on. */
  cut(): void {
    this.#client.destroy();
  }

  #fromClient(bytes: Buffer): void {
    for (const message of this.#requests.take(bytes)) {
      if (this.#isDeaf || this.#client.destroyed) return;
      const head = requestHead(message);
      const produced = head.api === API.produce ? producedBy(message, head) : [];
      const seen = { link: this.#id, api: head.api, produced };
      this.#decide(message, { head, seen });
    }
  }

  #decide(message: Buffer, pending: Pending): void {
    const fate = this.#kept ? PASS : this.#port.fateOf(pending.seen);
    switch (fate.kind) {
      case 'pass':
        return this.#write(message, pending);
      case 'late':
        this.#keepRequests(fate.until);
        if (fate.isCut) setTimeout(() => this.cut(), CUT_AFTER_MS);
        return this.#write(message, pending);
      case 'unanswered':
        this.#keepAnswers(fate.until);
        return this.#write(message, pending);
      case 'lost':
        return this.cut();
      case 'cut':
        this.#isMute = true;
        setTimeout(() => this.cut(), CUT_AFTER_MS);
        return this.#write(message, pending);
      case 'mute':
        this.#isMute = true;
        return this.#write(message, pending);
      case 'deaf':
        this.#isDeaf = true;
    }
  }

  #write(message: Buffer, pending: Pending): void {
    const write = (): void => {
      this.#pending.push(pending);
      this.#broker.write(message);
    };
    if (this.#kept) this.#kept.push(write);
    else write();
  }

  #keepRequests(until: Promise<unknown>): void {
    this.#kept = [];
    void until.finally(() => {
      const kept = this.#kept ?? [];
      this.#kept = null;
      for (const write of kept) write();
      this.#leaveIfDone();
    });
  }

  #keepAnswers(until: Promise<unknown>): void {
    this.#keptAnswers ??= [];
    void until.finally(() => {
      const kept = this.#keptAnswers ?? [];
      this.#keptAnswers = null;
      for (const pass of kept) pass();
    });
  }

  #fromBroker(bytes: Buffer): void {
    for (const message of this.#answers.take(bytes)) {
      const pending = this.#pending.shift();
      if (!pending) throw new Error('Kafka answers what nobody asked');
      const pass = (): void => this.#pass(message, pending);
      if (this.#keptAnswers) this.#keptAnswers.push(pass);
      else pass();
    }
    this.#leaveIfDone();
  }

  #pass(message: Buffer, { head, seen }: Pending): void {
    if (this.#isMute || this.#client.destroyed) return;
    this.#client.write(rewritten(message, head, this.#port));
    if (head.api === API.produce) this.#port.answered(seen);
  }

  #clientLeft(): void {
    this.#isOrphan = true;
    setTimeout(() => this.#broker.destroy(), ORPHAN_MS_MAX).unref();
    this.#leaveIfDone();
  }

  /** What is under way arrives although its client has gone: as it does in a network. */
  #leaveIfDone(): void {
    if (this.#isOrphan && !this.#kept && this.#pending.length === 0) this.#broker.end();
  }
}
