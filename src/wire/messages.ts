/**
 * The eleven messages as values. Names are those of PROTOCOL §3.4; the table that gives keys and
 * types of both codecs is in `fields.ts`. Optional keys that are absent are `undefined`.
 */

/** Message kinds `k`. Source: PROTOCOL §1. */
export const KIND = {
  hello: 0,
  welcome: 1,
  def: 2,
  data: 3,
  flow: 4,
  ping: 5,
  reject: 6,
  away: 7,
  sub: 8,
  state: 9,
  end: 10,
} as const;

/** `[c, qos, first]` of `hello`, `[c, qos, mf]` of `welcome`. */
export type LaneTriple = readonly [c: number, qos: number, value: number];
/** `[c, ack, lim, ?dropped]`. */
export type FlowEntry = readonly [c: number, ack: number, lim: number, dropped?: number];
/** `[name, ?unit, ?scale, ?offset]`. */
export type ColumnEntry = readonly [
  name: string,
  unit?: string | undefined,
  scale?: number | undefined,
  offset?: number | undefined,
];
/** `[number, topic, ?unit]`. */
export type SeriesEntry = readonly [no: number, topic: string, unit?: string];

/** Opens or resumes a session. */
export interface Hello {
  readonly k: 'hello';
  readonly ep?: number | undefined;
  readonly ch?: readonly LaneTriple[] | undefined;
  readonly now?: number | undefined;
  readonly hb?: number | undefined;
  readonly tok?: string | undefined;
  readonly rx?: number | undefined;
  readonly ua?: string | undefined;
  readonly hop?: number | undefined;
}

/** The session is accepted. */
export interface Welcome {
  readonly k: 'welcome';
  readonly ep?: number | undefined;
  readonly f?: readonly FlowEntry[] | undefined;
  readonly ch?: readonly LaneTriple[] | undefined;
  readonly now: number;
  readonly hb: number;
  readonly ln?: number | undefined;
  readonly sid?: string | undefined;
  readonly dur?: number | undefined;
  readonly why?: number | undefined;
}

/** Client to server: `s` and `cols`, perhaps `of`. Server to client: `ser`, `gone` or both. */
export interface Def {
  readonly k: 'def';
  readonly c: number;
  readonly s?: number | undefined;
  readonly cols?: readonly ColumnEntry[] | undefined;
  readonly of?: string | undefined;
  readonly gone?: readonly number[] | undefined;
  readonly ser?: readonly SeriesEntry[] | undefined;
}

/** A column of values as a message carries it. NaN in a typed array and null mean "no value". */
export type ColumnValues =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | readonly Scalar[]
  | Scalar;
/** One value. */
export type Scalar = number | string | boolean | null;

/** Unsigned integers. 64-bit typed arrays decode to a list of the nearest doubles. */
export type Uints = readonly number[] | Uint8Array | Uint16Array | Uint32Array;

/** A block of device data. Source: PROTOCOL §5.2. */
export interface DeviceBlock {
  readonly s: number;
  readonly t: number;
  readonly dt?: number | undefined;
  readonly d?: Uints | undefined;
  readonly v: readonly ColumnValues[];
  readonly q?: number | Uints | undefined;
  readonly fid?: number | undefined;
}

/** A block of server data: windows. Source: PROTOCOL §11.2. */
export interface ServerBlock {
  readonly t: number;
  readonly dt?: number | undefined;
  readonly i: number | Uints;
  readonly d?: Uints | undefined;
  readonly v: readonly ColumnValues[];
  readonly q?: number | Uints | undefined;
  readonly st?: number | undefined;
  readonly o?: Uints | undefined;
  readonly cl?: number | undefined;
}

/** `data` as the server sends it, and as a client that is not in a hurry may build it. */
export interface Data<Block> {
  readonly k: 'data';
  readonly c: number;
  readonly n: number;
  readonly lost?: number | undefined;
  readonly b: readonly Block[];
  readonly bl?: number | undefined;
  readonly wm?: number | undefined;
}

/** Cumulative ack and absolute limit, per channel. */
export interface Flow {
  readonly k: 'flow';
  readonly f: readonly FlowEntry[];
  readonly now?: number | undefined;
  readonly echo?: number | undefined;
  readonly ln?: number | undefined;
  readonly dur?: number | undefined;
  readonly why?: number | undefined;
}

/** Asks for the current state; tells backlog and watermark. */
export interface Ping {
  readonly k: 'ping';
  /** `[c, bytes]` */
  readonly bl?: readonly (readonly [c: number, bytes: number])[] | undefined;
  /** `[c, t µs]` */
  readonly wm?: readonly (readonly [c: number, t: number])[] | undefined;
  readonly now?: number | undefined;
}

/** Frame n is refused for good. */
export interface Reject {
  readonly k: 'reject';
  readonly c: number;
  readonly n: number;
  readonly e: number;
  readonly m?: string | undefined;
}

/** Last words: go away, a redirect, or why. */
export interface Away {
  readonly k: 'away';
  readonly c?: number | undefined;
  readonly n?: number | undefined;
  readonly e: number;
  readonly m?: string | undefined;
  readonly to?: string | undefined;
  readonly w?: number | undefined;
  readonly dl?: number | undefined;
}

/** Subscribes. */
export interface Sub {
  readonly k: 'sub';
  readonly c: number;
  readonly p: readonly string[];
  readonly win: number;
  readonly agg?: readonly string[] | undefined;
  readonly r?: number | undefined;
  readonly hist?: number | undefined;
  readonly md?: number | undefined;
  readonly lim?: number | undefined;
  readonly grp?: number | undefined;
}

/** Status of a subscription. */
export interface State {
  readonly k: 'state';
  readonly c: number;
  readonly st: number;
  readonly now?: number | undefined;
  readonly e?: number | undefined;
  readonly m?: string | undefined;
  readonly echo?: number | undefined;
  readonly over?: number | undefined;
}

/** Unsubscribes. */
export interface End {
  readonly k: 'end';
  readonly c: number;
}

/** What a client sends, `data` aside: the gateway reads that in place, see `frame-reader.ts`. */
export type ClientMessage = Hello | Def | Flow | Ping | Sub | End;
/** What the server sends. */
export type ServerMessage = Welcome | Def | Data<ServerBlock> | Flow | Reject | Away | State;
/** Any message. */
export type Message = ClientMessage | ServerMessage | Data<DeviceBlock>;
