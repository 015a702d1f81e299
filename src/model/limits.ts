/**
 * Every limit of the protocol and of this node, in one place.
 * Source: PROTOCOL §1, §7, §8, §9, §14; DESIGN §3, §7, §8.
 */

/** What every message costs besides its bytes, so that a flood of tiny frames is not free. */
export const COST_PER_MESSAGE = 64;
/** Largest `data` payload by lane: §1's least. Units: bytes. */
export const FRAME_BYTES_MAX: readonly number[] = [1984, 8192, 8192, 8192];
/** Largest message from a client. Units: bytes. Beyond: 1009. */
export const MESSAGE_BYTES_MAX = 16 * 1024;
/** Largest `hello` and `def` from a client, and anything before `welcome`. Units: bytes. */
export const CONTROL_BYTES_MAX = 4 * 1024;
/** Largest message to a client that named no `rx`. Units: bytes. */
export const RECEIVE_BYTES_DEFAULT = 1024;
/** Largest message to a subscriber, and least `rx` of one. Units: bytes. */
export const SUBSCRIBER_BYTES_MAX = 32 * 1024;
/** Least `lim` of a `sub`: one largest message and its cost. Units: bytes. */
export const SUB_LIMIT_LEAST = 32_832;
/** Sets per connection. */
export const SETS_MAX = 64;
/** Columns per set. */
export const COLUMNS_MAX = 64;
/** Rows per block. Beyond: reject 4021. */
export const ROWS_MAX = 4096;
/** Blocks per frame. Beyond: reject 4021. */
export const BLOCKS_MAX = 64;
/** Text in a column. Units: bytes. */
export const TEXT_BYTES_MAX = 256;
/** A device path, an `of`, a column name. Units: bytes. */
export const PATH_BYTES_MAX = 128;
/** A topic. Units: bytes. */
export const TOPIC_BYTES_MAX = 256;
/** Levels of a path or topic. */
export const LEVELS_MAX = 16;
/** Characters of a level. */
export const LEVEL_CHARS_MAX = 64;
/** Characters of a unit. */
export const UNIT_CHARS_MAX = 32;
/** Definitions new to this deployment, per device and hour. Beyond: 4101. */
export const NEW_DEFINITIONS_PER_HOUR = 64;
/** The same, at once. */
export const NEW_DEFINITIONS_BURST = 128;
/** Subscriptions per connection. */
export const SUBSCRIPTIONS_MAX = 32;
/** Patterns per subscription. */
export const PATTERNS_MAX = 16;
/** A pattern. Units: bytes. */
export const PATTERN_BYTES_MAX = 256;
/** Series per subscription; more are told as `over`. */
export const SUBSCRIBED_SERIES_MAX = 5000;
/** Kept windows per series, class and length. */
export const KEPT_WINDOWS = 300;
/** Event times lie in [0, this). Units: µs. Source: [R5.2-7]. */
export const EVENT_US_MAX = 7_258_118_400_000_000;

/** `hello` must come within this. Units: ms. */
export const HELLO_TIMEOUT_MS = 5000;
/** Heartbeat, where the client wishes none. Units: ms. */
export const HEARTBEAT_MS = 20_000;
/** Shortest heartbeat that a client may wish. Units: ms. */
export const HEARTBEAT_MS_MIN = 5000;
/** Longest heartbeat that a client may wish. Units: ms. */
export const HEARTBEAT_MS_MAX = 300_000;
/** A token: what fits in a `hello`, wherever it stands. Units: bytes. Beyond: 401, 4003. */
export const TOKEN_BYTES_MAX = 4 * 1024;
/** Read scopes of a token: each is looked at for every series that appears. Beyond: 403, 4004. */
export const READ_SCOPES_MAX = 64;
/** How far the clock of whoever signs tokens may be ahead of ours. Units: s. */
export const TOKEN_SKEW_S_MAX = 60;
/** Tokens remembered as good until they expire: devices come back with the same one. */
export const VERIFIED_TOKENS_MAX = 20_000;
/** Bad tokens per address, sustained. Beyond, unless it is known to be good: 429, 4101. */
export const BAD_TOKENS_PER_SECOND = 2;
/** The same, at once. */
export const BAD_TOKENS_BURST = 30;
/** Addresses of which bad tokens are counted; the one heard of longest ago is forgotten first. */
export const BAD_TOKEN_ADDRESSES_MAX = 10_000;
/** This long before a credential expires its session is told to come back. Units: ms. [R2.1-14] */
export const EXPIRY_NOTICE_MS = 60_000;
/** Within this they come back. Units: ms. [R2.1-14] */
export const EXPIRY_SPREAD_MS = 30_000;
/** No bytes for this many heartbeats: 4102. */
export const HEARTBEATS_SILENT_MAX = 3;
/** The clock offset of a device is the least one of this time. Units: ms. [R4.3-2] */
export const CLOCK_OFFSET_MS = 600_000;
/** What is known of a device's epochs is kept so long after their last use. Units: ms. [R14-13] */
export const EPOCH_KEPT_MS = 7 * 86_400_000;
/** A session that ends before this is a short one. Units: ms. [R14-16] */
export const SHORT_SESSION_MS = 60_000;
/** Short sessions of a device per minute, and at once. Beyond: 429, 4101. [R14-16] */
export const SHORT_SESSIONS_PER_MINUTE = 10;
/** A device whose session broke an invariant of ours is not served for so long. Units: ms. */
export const QUARANTINE_MS = 3_600_000;
/** Devices of which something is held against them; the one heard of longest ago goes first. */
export const CONDUCTS_MAX = 50_000;
/**
 * What a JSON frame may take in CBOR at most, as a multiple of its payload: `1,` is two bytes, and
 * a float64 once another row of its column has a fraction. The budget counts it so.
 */
export const JSON_GROWTH = 4;
/** Of the budget, so much is for lane 0 alone: alarms get in when bulk does not. [R2.1-22] */
export const LANE_0_SHARE = 1 / 64;
/** Devices that come back in a second when a node goes down: its fellows can take these. */
export const RECONNECTS_PER_SECOND = 500;
/** Least spread of a drain. Units: ms. [R10.1-9] */
export const DRAIN_SPREAD_MS_LEAST = 1000;
/** Least time that a drain serves on. Units: ms. [R10.1-9] */
export const DRAIN_MS_LEAST = 5000;
/** Pings, sustained. Beyond: 4101. */
export const PINGS_PER_SECOND = 1;
/** Pings at once. */
export const PINGS_BURST = 5;
/** Least time between two flows to a session for bulk lanes. Units: ms. */
export const FLOW_PACE_MS = 20;
/** The same where the log is Kafka: a send costs 1 ms of CPU whatever it carries. Units: ms. */
export const KAFKA_LINGER_MS = 10;
/** How long the first bulk frame of an idle node waits for company. Units: ms. */
export const FILE_LINGER_MS = 2;

/** Watermark delay D. Units: ms. */
export const WATERMARK_DELAY_MS = 2000;
/** Allowed lateness. Units: ms. */
export const LATENESS_MS = 30_000;
/** A class of a connected device is idle after this silence. Units: ms. */
export const IDLE_MS = 10_000;
/** The classes of a disconnected device are gone after this. Units: ms. */
export const GONE_MS = 120_000;
/** A reading further ahead of the log clock than this is not aggregated. Units: ms. */
export const FUTURE_MS = 300_000;
/** How far a watermark may be ahead of the log clock. Units: ms. */
export const WATERMARK_AHEAD_MS = 1000;
/** Window lengths that are computed. Units: ms. */
export const WINDOWS_MS: readonly number[] = [1000];
/** Largest value of one aggregates record. Units: bytes. */
export const RESULT_BYTES_MAX = 256 * 1024;
/** Least time between two flushes of a subscription, on rung 0. Units: ms. */
export const FLUSH_MS = 50;
/**
 * The same on every other rung, at most what [R11.2-17] allows. Two updates a second are still
 * live, and cost less: of windows that change all the time a third of the bytes. Units: ms.
 */
export const FLUSH_PRESSED_MS = 500;
/**
 * (series, class) that one log of a shard may aggregate; readings of more are refused, and counted.
 * Without it a device that invents names fills the memory. At most 26 KiB each once full.
 */
export const SERIES_PER_LOG_MAX = 20_000;
/**
 * (series, window) pairs that one frame may touch; readings beyond are refused, and counted. A
 * constant column of 4096 rows costs a byte: without this, 8 KiB would open 262 144 windows.
 */
export const WINDOWS_PER_FRAME_MAX = 8192;
/**
 * Work that aggregation does in one step for the logs of one kind, about a microsecond each: without
 * it the results of one frame, or of all devices of a log whose clock jumped, hold up everybody.
 */
export const UNITS_PER_STEP = 2048;
/**
 * Window results that wait for the aggregates log; an eighth more for those of alarms. Beyond it
 * nothing more is aggregated, and then nothing more taken: without it a topic that refuses for long
 * fills the memory. Units: bytes.
 */
export const RESULTS_WAITING_BYTES_MAX = 64 * 1024 * 1024;
