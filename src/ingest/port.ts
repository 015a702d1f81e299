import type { Breach } from '../model/errors.ts';
import type { FrameRow } from '../model/frame.ts';
import type { SessionId } from '../model/machine.ts';
import type { SubscriberTerms } from '../model/subscriber-terms.ts';
import type { Now } from '../model/time.ts';
import type { Why } from '../model/why.ts';
import type { End, FlowEntry, Sub } from '../wire/messages.ts';

/** What ingest asks of the rest of the gateway. All calls are synchronous. */
export interface IngestPort {
  send(session: SessionId, bytes: Uint8Array): void;
  /** Closes the socket; whatever still arrives from it is ignored. */
  close(session: SessionId, code: number, reason: string): void;
  /** Sends a WebSocket Ping. */
  probe(session: SessionId): void;
  /** Asks who stands behind a token; `Ingest.verified` is told. */
  verify(session: SessionId, token: string): void;
  /** A frame, or the stub of a refused one, goes to the log. */
  admit(row: FrameRow): void;
  /** The log of this shard can be written, or why not. */
  refusalOf(shard: number): Breach | null;
  /** What an ack is worth just now. Source: PROTOCOL §6.4. */
  dur(): number;
  /** Why limits do not advance just now. */
  why(): Why;
  /** A publisher told by `ping` that nothing older than `t` will come on this lane. */
  tellWatermark(device: string, lane: number, t: number): void;
  readonly subscribers: SubscriberPort;
}

/** The subscriber's half of a session. */
export interface SubscriberPort {
  open(session: SessionId, terms: SubscriberTerms): void;
  close(session: SessionId): void;
  sub(session: SessionId, message: Sub, now: Now): void;
  end(session: SessionId, message: End, now: Now): void;
  flow(session: SessionId, entries: readonly FlowEntry[], now: Now): void;
  /** Answers with a beat per subscription. */
  ping(session: SessionId, echo: number | undefined, now: Now): void;
  subscriptions(session: SessionId): number;
}
