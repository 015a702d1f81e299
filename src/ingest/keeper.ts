import { type Breach, breach } from '../model/errors.ts';
import {
  EPOCH_KEPT_MS,
  EXPIRY_NOTICE_MS,
  EXPIRY_SPREAD_MS,
  HEARTBEATS_SILENT_MAX,
  HELLO_TIMEOUT_MS,
} from '../model/limits.ts';
import type { Now } from '../model/time.ts';
import { encode } from '../wire/encode.ts';
import type { Away } from '../wire/messages.ts';
import type { Conducts } from './conduct.ts';
import type { DeviceRegistry } from './device.ts';
import type { Flows } from './flows.ts';
import type { IngestPort } from './port.ts';
import type { Session } from './session.ts';
import { SWEEP_MS } from './sweep.ts';

/** How often it is looked for what may be forgotten. Units: ms. */
const FORGET_MS = 60_000;

/** What the keeper works with. */
export interface KeeperParts {
  readonly port: IngestPort;
  readonly flows: Flows;
  readonly devices: DeviceRegistry;
  readonly conducts: Conducts;
  /** Ends a session. */
  readonly breach: (session: Session, why: Breach, now: Now) => void;
}

/** Does for every session what nobody's message causes: time-outs, expiry, pings, heartbeats. */
export class Keeper {
  readonly #parts: KeeperParts;
  #nextForgetMs = 0;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** Looks at one session. */
  look(session: Session, now: Now): void {
    const why = this.#ended(session, now);
    if (why) {
      this.#parts.breach(session, why, now);
      return;
    }
    if (!session.isWelcomed) return;
    this.#tellOfExpiry(session, now);
    if (now.monoMs - session.lastProbeMs >= session.heartbeatMs) this.#probe(session, now);
    const { flows } = this.#parts;
    if (this.#isDurNew(session) || this.#isFlowDue(session, now))
      flows.send(session, now, { echo: undefined });
  }

  /** Forgets what has not been used for long. Source: [R14-13]. */
  forget(now: Now): void {
    if (now.monoMs < this.#nextForgetMs) return;
    this.#nextForgetMs = now.monoMs + FORGET_MS;
    this.#parts.devices.forget(now.wallUs - EPOCH_KEPT_MS * 1000);
    this.#parts.conducts.forgive(now.monoMs);
  }

  #ended(session: Session, now: Now): Breach | null {
    if (!session.isWelcomed) {
      const isLate = now.monoMs - session.openedAtMs > HELLO_TIMEOUT_MS;
      return isLate ? breach(4102, 'no hello within 5 s') : null;
    }
    const silentMs = now.monoMs - session.lastHeardMs;
    if (silentMs > HEARTBEATS_SILENT_MAX * session.heartbeatMs) {
      return breach(4102, 'no sign of life');
    }
    return leftMs(session, now) <= 0 ? breach(4003, 'the token has expired') : null;
  }

  /** One minute before its credential ends the session is told to come back. [R2.1-14] */
  #tellOfExpiry(session: Session, now: Now): void {
    // One sweep early, so that the `dl` promised never reaches beyond the end.
    const isNear = leftMs(session, now) <= EXPIRY_NOTICE_MS + SWEEP_MS;
    if (!isNear || session.isToldOfExpiry || session.isToldToGo) return;
    session.isToldOfExpiry = true;
    session.isToldToGo = true;
    const { code: e, message: m } = breach(4202);
    const away: Away = { k: 'away', e, m, w: EXPIRY_SPREAD_MS, dl: EXPIRY_NOTICE_MS };
    this.#parts.port.send(session.id, encode(session.codec, away));
  }

  #probe(session: Session, now: Now): void {
    session.lastProbeMs = now.monoMs;
    this.#parts.port.probe(session.id);
  }

  /** What an ack is worth changed, and no flow has told yet. [R6.3-4] */
  #isDurNew({ device, dur }: Session): boolean {
    return device !== null && dur !== this.#parts.port.dur();
  }

  /** A flow of all lanes is due every heartbeat, an empty one where nothing else comes. [R8-1] */
  #isFlowDue(session: Session, now: Now): boolean {
    const { subscribers } = this.#parts.port;
    if (!session.device && subscribers.subscriptions(session.id) > 0) return false;
    return now.monoMs - session.lastFullFlowMs >= session.heartbeatMs - 2 * SWEEP_MS;
  }
}

const leftMs = ({ identity }: Session, now: Now): number =>
  ((identity?.expiresUs ?? Number.POSITIVE_INFINITY) - now.wallUs) / 1000;
