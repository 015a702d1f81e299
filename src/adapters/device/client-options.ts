import type { DeviceOptions as SessionOptions, WhenFull } from '../../client/device-io.ts';
import { SERIES_MAX, type SeriesSpec, SeriesTable } from '../../client/series-table.ts';
import type { Codec } from '../../model/machine.ts';
import { LANE } from '../../model/reading.ts';
import type { LaneName } from './device-event.ts';
import type { OpenWebSocket } from './device-socket.ts';
import type { RingStore } from './ring-store.ts';
import { deviceOf } from './token-device.ts';

/** One measured quantity of a device. */
export interface SeriesOptions {
  /** A SenML unit where there is one: `Cel`, `m/s2`, `%RH`, `V`. */
  readonly unit?: string | undefined;
  /** What is written is raw, and a reader gets raw × scale + offset. Absent: 1 and 0. */
  readonly scale?: number | undefined;
  readonly offset?: number | undefined;
  /** `critical` is sent at once, ahead of everything else. Absent: `live`. */
  readonly lane?: LaneName | undefined;
}

/** What a device is made of. */
export interface DeviceOptions {
  /** Shape: `wss://HOST/v1`. */
  readonly url: string;
  /** The credential, or where to get one for each connection; in open mode the device's path. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** By name; a name is a path below that of the device, as `acc/x`. */
  readonly series: Readonly<Record<string, SeriesOptions>>;
  /** A reading waits at most so long for others to share its frame. Absent: what the gateway suggests, else 100. Units: ms. */
  readonly latencyMs?: number | undefined;
  /** Bound of what is retained until it is acked. Absent: 4 MiB; at least 4000. Units: bytes. */
  readonly ringBytes?: number | undefined;
  /** What becomes of readings when the ring is full. Absent: `drop-oldest`. */
  readonly whenFull?: WhenFull | undefined;
  /** False: an outage goes home in its place among the live readings. Absent: beside them. */
  readonly backfill?: boolean | undefined;
  /** Absent: `cbor`. */
  readonly codec?: Codec | undefined;
  /** `server`: the device has no clock, and takes the gateway's. Absent: `own`. */
  readonly clock?: 'own' | 'server' | undefined;
  /** After an error that needs a human, try again in an hour instead of stopping. */
  readonly isUnattended?: boolean | undefined;
  /** Hosts to which a redirect may lead, besides that of `url`. */
  readonly trustedHosts?: readonly string[] | undefined;
  /** Keeps the ring over a restart; see `tidegate/client/ring-file`. */
  readonly store?: RingStore | undefined;
  /** Absent: the WebSocket of the browser, or of Node 22 and later. */
  readonly openWebSocket?: OpenWebSocket | undefined;
  /** Client and version, for the gateway's traces. */
  readonly userAgent?: string | undefined;
}

const RING_BYTES = 4 * 1024 * 1024;

/** The series that a device declares. Throws where there are none, or more than fit 64 sets. */
export function seriesOf({ series }: DeviceOptions): SeriesTable {
  const specs = Object.entries(series).map(([name, one]): SeriesSpec => {
    const { unit = '', scale = 1, offset = 0, lane = 'live' } = one;
    return { name, lane: LANE[lane], column: [name, unit, scale, offset] };
  });
  if (specs.length === 0) throw new TypeError('a device declares at least one series');
  if (specs.length > SERIES_MAX) throw new TypeError(`at most ${SERIES_MAX} series`);
  return new SeriesTable(specs);
}

/** What the session is made of. Throws where options contradict each other. */
export function sessionOptionsOf(options: DeviceOptions, table: SeriesTable): SessionOptions {
  const { url, codec = 'cbor', ringBytes = RING_BYTES, whenFull, token, store } = options;
  const isClockless = options.clock === 'server';
  if (isClockless && store) throw new TypeError('a ring on disk needs a clock of its own');
  const hasBackfill = options.backfill !== false && table.lanes.includes(LANE.live);
  const restored = store?.restored ?? undefined;
  if (restored && restored.codec !== codec) {
    throw new TypeError(`the ring was stored with the codec ${restored.codec}`);
  }
  const refusal = typeof token === 'string' ? ringRefusal(options, token) : null;
  if (refusal !== null) throw new Error(refusal);
  // A lane that has begun goes on to its end, also where no series is on it any more.
  const begun = restored?.lanes.filter(({ next }) => next > 1).map(({ lane }) => lane) ?? [];
  const lanes = new Set([...table.lanes, ...(hasBackfill ? [LANE.backfill] : []), ...begun]);
  return {
    url,
    codec,
    sets: [],
    lanes: [...lanes],
    ringBytesMax: ringBytes,
    whenFull,
    random: Math.random,
    isClockless,
    isUnattended: options.isUnattended,
    canRenew: typeof token === 'function',
    trustedHosts: options.trustedHosts,
    ua: options.userAgent ?? 'tidegate-client',
    restored,
  };
}

/** Why the ring that is kept is not that of the device of this token; null: it is, or may be. */
export function ringRefusal({ store }: DeviceOptions, token: string | undefined): string | null {
  const device = deviceOf(token);
  return device === null ? null : (store?.claim?.(device) ?? null);
}

/** Asks for the credential of the next connection. */
export async function tokenOf({ token }: DeviceOptions): Promise<string | undefined> {
  return typeof token === 'function' ? await token() : token;
}
