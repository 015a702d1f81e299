import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

/** What of kafkajs's request queue is replaced. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

const load = createRequire(import.meta.url);
const CRC_MODULE = 'kafkajs/src/protocol/recordBatch/crc32C/index.js';
const ERROR_MODULE = 'kafkajs/src/protocol/error.js';
const QUEUE_MODULE = 'kafkajs/src/network/requestQueue/index.js';
/** The check value of CRC-32C: RFC 3720, or any table of CRCs. */
const CRC_CHECK = { of: Buffer.from('123456789'), is: 0xe3069283 };

/**
 * Replaces the table-driven checksum of kafkajs by the processor's: 19 % of the CPU at 400 frames
 * per send. kafkajs takes the function when its modules are loaded, so this comes before that.
 * Returns null, or why kafkajs goes on with its own.
 */
function useNativeCrc(): string | null {
  try {
    const { crc32c } = load('@node-rs/crc32') as { crc32c: (bytes: Buffer) => number };
    if (crc32c(CRC_CHECK.of) !== CRC_CHECK.is) return 'the native CRC-32C computes something else';
    load(CRC_MODULE);
    const cached = load.cache[load.resolve(CRC_MODULE)];
    if (!cached) return 'kafkajs has no module for its CRC-32C';
    cached.exports = crc32c;
    return null;
  } catch (error) {
    return `no native CRC-32C on this machine (${error instanceof Error ? error.message : error})`;
  }
}

/**
 * The queue of every connection arms a timer for its next check even if nothing waits, with a
 * negative delay: 5–6 % CPU per idle client. Armed only when something waits it is 0.2–2 %.
 */
function stopIdleLoop(): void {
  const { prototype } = load(QUEUE_MODULE) as { prototype: RequestQueue };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function check(this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}

/** Why checksums are computed in JavaScript, or null: they are native. */
export const slowCrcReason: string | null = useNativeCrc();

const library = load('kafkajs') as typeof import('kafkajs');

stopIdleLoop();

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
library.CompressionCodecs[library.CompressionTypes.ZSTD] = () => ({
  compress: (encoder: { readonly buffer: Buffer }) => compress(encoder.buffer),
  decompress: (buffer: Buffer) => decompress(buffer),
});

/** kafkajs, with what docs/dependencies.md §Kafka changes in it. Nothing else may load it. */
export const { Kafka, CompressionTypes, logLevel } = library;

const { errorCodes } = load(ERROR_MODULE) as {
  readonly errorCodes: readonly { readonly type: string; readonly message: string }[];
};

/** What kafkajs says in its log for an error of the protocol; the name where it has no text. */
export const protocolText = (name: string): string =>
  errorCodes.find(({ type }) => type === name)?.message ?? name;
