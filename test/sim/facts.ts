import type { Ending } from '../../src/client/reconnect-policy.ts';
import type { Input } from '../../src/gateway/io.ts';
import type { MarkEntry } from '../../src/wire/mark.ts';
import type { ClientMessage, ServerMessage } from '../../src/wire/messages.ts';
import type { Link } from './network.ts';
import type { SimNode } from './node.ts';
import type { Entry } from './truth.ts';

/** What became of a frame in the step that took it. */
export type Fate = 'admitted' | 'duplicate' | 'closed' | 'ignored';

/** A frame as a device hands it to the network. */
export interface SentFrame {
  readonly epoch: number;
  readonly lane: number;
  readonly n: number;
  readonly lost: number;
  readonly bytes: number;
  readonly content: number;
}

/** A device freed a frame because an ack covers it, was told that it is refused, or gave it up. */
export interface FrameFate {
  readonly kind: 'freed' | 'refused' | 'dropped';
  readonly device: string;
  readonly epoch: number;
  readonly lane: number;
  readonly n: number;
  readonly content: number;
  readonly qos: number;
}

/** Everything that happens in the world and that a checker may want to judge. */
export type Fact =
  /** A device or dashboard sent a message. */
  | { readonly kind: 'said'; readonly link: Link; readonly message: ClientMessage }
  | { readonly kind: 'sent'; readonly link: Link; readonly frame: SentFrame }
  /** A message of a client reached its gateway, which has not looked at it yet. */
  | { readonly kind: 'arrived'; readonly link: Link; readonly message: ClientMessage }
  /** A frame reached its gateway, which has not looked at it yet. */
  | { readonly kind: 'reached'; readonly link: Link; readonly lane: number; readonly n: number }
  /** The gateway has judged it. */
  | {
      readonly kind: 'judged';
      readonly link: Link;
      readonly lane: number;
      readonly n: number;
      readonly lost: number;
      readonly bytes: number;
      readonly fate: Fate;
    }
  /** A gateway sent a message. */
  | {
      readonly kind: 'told';
      readonly link: Link;
      readonly message: ServerMessage;
      readonly bytes: number;
    }
  /** A gateway's message reached its client. */
  | { readonly kind: 'heard'; readonly link: Link; readonly message: ServerMessage }
  /** A gateway closed a connection. */
  | { readonly kind: 'closed'; readonly link: Link; readonly code: number }
  /** A record of the readings or alarms log became durable, whoever knows of it. */
  | { readonly kind: 'landed'; readonly entry: Entry }
  /** A gateway judges a class silent; again every second, until the mark has been read back. */
  | { readonly kind: 'marked'; readonly node: SimNode; readonly entry: MarkEntry }
  | { readonly kind: 'stepped'; readonly node: SimNode; readonly input: Input }
  | { readonly kind: 'owned'; readonly node: SimNode }
  | { readonly kind: 'gone'; readonly node: SimNode; readonly why: string }
  | FrameFate
  /** A device ended for good, or waits an hour for a human. */
  | { readonly kind: 'stopped'; readonly device: string; readonly ending: Ending }
  /** The faults are over and everything should have come home. */
  | { readonly kind: 'calm' }
  /** Everybody has left. */
  | { readonly kind: 'end' };

/** Where facts go. */
export type Tell = (fact: Fact) => void;

/** The facts of one kind. */
export type FactOf<Kind extends Fact['kind']> = Extract<Fact, { readonly kind: Kind }>;
