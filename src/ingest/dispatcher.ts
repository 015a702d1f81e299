import { type Breach, breach } from '../model/errors.ts';
import type { FrameRow } from '../model/frame.ts';
import type { Identity } from '../model/identity.ts';
import { shared } from '../model/invariant.ts';
import { CONTROL_BYTES_MAX } from '../model/limits.ts';
import type { Now } from '../model/time.ts';
import { WHY } from '../model/why.ts';
import { type Head, peekHead } from '../wire/cbor-head.ts';
import { decodeCbor } from '../wire/decode.ts';
import { jsonToCbor } from '../wire/json.ts';
import { type ClientMessage, type Def, type Hello, KIND, type Ping } from '../wire/messages.ts';
import { Admitter, type Incoming } from './admission.ts';
import type { Conducts } from './conduct.ts';
import type { Credit } from './credit.ts';
import { define } from './definitions.ts';
import type { Flows } from './flows.ts';
import type { IngestLedger } from './ledger.ts';
import type { Opener } from './opening.ts';
import type { IngestOptions } from './options.ts';
import type { Session } from './session.ts';

/** Messages that only the server sends. Source: [R4.1-2]. */
const WRONG_WAY: ReadonlySet<number> = new Set([KIND.welcome, KIND.reject, KIND.away, KIND.state]);
/** Codes whose `away` names the frame, so that the client drops it. Source: [R10.1-6]. */
const NAMING: ReadonlySet<number> = new Set([4000, 4005, 4009]);

/** What the dispatcher works with. */
export interface DispatcherParts {
  readonly options: IngestOptions;
  readonly opener: Opener;
  readonly ledger: IngestLedger;
  readonly flows: Flows;
  readonly conducts: Conducts;
  readonly credit: Credit;
  /** Ends a session for what its peer did; `about` names the frame. */
  readonly breach: (session: Session, why: Breach, now: Now, about?: Partial<Head>) => void;
}

/** Takes every message of a session to the one place that deals with it. */
export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #admitter: Admitter;
  readonly #head: Head = { k: 0, c: 0, n: 0, lost: 0 };
  readonly #incoming: Incoming;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#incoming = { cbor: new Uint8Array(0), payload: new Uint8Array(0), head: this.#head };
    const { port } = parts.options;
    const sink = {
      admit: (row: FrameRow) => {
        parts.ledger.inFlight += 1;
        parts.ledger.lose(row.lane, row.lost);
        shared(() => port.admit(row));
      },
      isOpen: () => port.why() === WHY.none,
    };
    this.#admitter = new Admitter(sink, parts.credit);
  }

  /** Judges opcode and size, then decodes: the order of [R2.1-9]. */
  message(session: Session, payload: Uint8Array, isBinary: boolean, now: Now): void {
    if (isBinary !== (session.codec === 'cbor')) {
      this.#parts.breach(session, breach(1003), now);
      return;
    }
    if (!session.isWelcomed && payload.length > CONTROL_BYTES_MAX) {
      const detail = `the first message has at most ${CONTROL_BYTES_MAX} bytes`;
      this.#parts.breach(session, breach(4009, detail), now);
      return;
    }
    if (session.codec === 'cbor') this.#cbor(session, payload, payload, now);
    else this.#json(session, payload, now);
  }

  /** It is known who stands behind the token of a `hello`, or why that is nobody. */
  verified(session: Session, verdict: Identity | Breach, now: Now): void {
    const hello = session.unproven;
    if (hello === null) return;
    session.unproven = null;
    this.#answer(session, this.#parts.opener.admit(session, verdict, hello, now), now);
  }

  #json(session: Session, payload: Uint8Array, now: Now): void {
    const transcoded = jsonToCbor(payload, 'client');
    if ('bytes' in transcoded) {
      this.#cbor(session, transcoded.bytes, payload, now);
      return;
    }
    const { c, n } = transcoded;
    const isData = c !== undefined && n !== undefined;
    if (isData) this.#countClosing(payload, transcoded.breach.code);
    this.#parts.breach(session, transcoded.breach, now, isData ? { c, n } : undefined);
  }

  #cbor(session: Session, cbor: Uint8Array, payload: Uint8Array, now: Now): void {
    const head = this.#head;
    if (peekHead(cbor, head) && head.k === KIND.data && session.isWelcomed) {
      this.#data(session, cbor, payload, now);
      return;
    }
    if (session.isWelcomed && WRONG_WAY.has(head.k)) {
      this.#parts.breach(session, breach(4001, 'only a server sends this message'), now);
      return;
    }
    const decoded = decodeCbor(cbor, 'client');
    if ('breach' in decoded) {
      const { code } = decoded.breach;
      const isData = head.k === KIND.data && head.n >= 1;
      if (isData) this.#countClosing(payload, code);
      const about = isData && NAMING.has(code) ? { c: head.c, n: head.n } : undefined;
      this.#parts.breach(session, decoded.breach, now, about);
      return;
    }
    const { message } = decoded;
    if (!session.isWelcomed) this.#first(session, message, now);
    else this.#control(session, message as ClientMessage, payload, now);
  }

  #data(session: Session, cbor: Uint8Array, payload: Uint8Array, now: Now): void {
    const { ledger } = this.#parts;
    this.#incoming.cbor = cbor;
    this.#incoming.payload = payload;
    const verdict = this.#admitter.judge(session, this.#incoming, now);
    ledger.received += 1;
    ledger.bytes += payload.length;
    if (verdict === 'admitted') return;
    if (verdict === 'duplicate' || verdict === 'dropped') {
      ledger[verdict] += 1;
      this.#parts.flows.touch(session, this.#head.c, now);
      return;
    }
    ledger.close(verdict.code);
    const isNamed = this.#head.n >= 1 && NAMING.has(verdict.code);
    this.#parts.breach(
      session,
      verdict,
      now,
      isNamed ? { c: this.#head.c, n: this.#head.n } : undefined,
    );
  }

  #countClosing(payload: Uint8Array, code: number): void {
    this.#parts.ledger.received += 1;
    this.#parts.ledger.bytes += payload.length;
    this.#parts.ledger.close(code);
  }

  #first(session: Session, message: { readonly k: string }, now: Now): void {
    if (message.k !== 'hello') {
      if (message.k === 'data') this.#countClosing(new Uint8Array(0), 4001);
      this.#parts.breach(
        session,
        breach(4001, `the first message is hello, not ${message.k}`),
        now,
      );
      return;
    }
    if (session.unproven !== null) {
      this.#parts.breach(session, breach(4001, 'a second hello'), now);
      return;
    }
    this.#answer(session, this.#parts.opener.hello(session, message as Hello, now), now);
  }

  #answer(session: Session, why: Breach | null, now: Now): void {
    if (why) this.#parts.breach(session, why, now);
    else if (session.isWelcomed) {
      session.lastProbeMs = now.monoMs;
      this.#parts.options.port.probe(session.id);
    }
  }

  #control(session: Session, message: ClientMessage, payload: Uint8Array, now: Now): void {
    switch (message.k) {
      case 'hello':
        return this.#parts.breach(session, breach(4001, 'a second hello'), now);
      case 'def':
        return this.#def(session, message, payload.length, now);
      case 'flow':
        return this.#parts.options.port.subscribers.flow(session.id, message.f, now);
      case 'ping':
        return this.#ping(session, message, now);
      case 'sub':
        return this.#parts.options.port.subscribers.sub(session.id, message, now);
      case 'end':
        return this.#parts.options.port.subscribers.end(session.id, message, now);
    }
  }

  #def(session: Session, def: Def, length: number, now: Now): void {
    const { options, conducts } = this.#parts;
    const mayBeNew = (): boolean => conducts.of(session.path).newDefinitions.take(now.monoMs);
    const why = define(session, def, { length, mayBeNew, ...options });
    if (why) this.#parts.breach(session, why, now);
  }

  #ping(session: Session, ping: Ping, now: Now): void {
    if (!session.pings.take(now.monoMs)) {
      this.#parts.breach(session, breach(4101, 'more than one ping a second'), now);
      return;
    }
    const { device } = session;
    const { credit, options } = this.#parts;
    const { port } = options;
    if (device && ping.now !== undefined) device.clockOffset.tell(ping.now, now);
    for (const [c, bytes] of ping.bl ?? []) {
      const channel = session.channels[c];
      if (channel) credit.backlog(channel, bytes);
    }
    credit.serve(now);
    for (const [c, t] of ping.wm ?? []) {
      if (device && session.channels[c]) port.tellWatermark(device.path, c, t);
    }
    const hasSubscriptions = port.subscribers.subscriptions(session.id) > 0;
    port.subscribers.ping(session.id, ping.now, now);
    if (device || !hasSubscriptions) this.#parts.flows.send(session, now, { echo: ping.now });
  }
}
