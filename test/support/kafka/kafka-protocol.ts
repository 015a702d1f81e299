/**
 * The little of Kafka's protocol that a proxy has to know, for the versions that kafkajs speaks.
 * ```
 * message  = length i32, then so many bytes
 * request  = api key i16, api version i16, correlation i32, client id (string or null), body
 * response = correlation i32, body
 * string   = length i16 (−1: null), UTF-8
 * ```
 * A connection's responses come in the order of its requests.
 */

/** The requests that are looked at. */
export const API = { produce: 0, fetch: 1, metadata: 3, findCoordinator: 10 } as const;

const LENGTH_BYTES = 4;
/** Newest version whose layout is known here; later ones are flexible, and kafkajs has none. */
const VERSION_MAX: Readonly<Record<number, number>> = {
  [API.produce]: 8,
  [API.metadata]: 6,
  [API.findCoordinator]: 2,
};

/** Cuts a stream into messages, length included. */
export class MessageSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages that these bytes complete. */
  take(bytes: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const messages: Buffer[] = [];
    while (this.#rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#rest.readInt32BE(0);
      if (this.#rest.length < end) break;
      messages.push(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
    }
    return messages;
  }
}

/** The head of a request. */
export interface RequestHead {
  readonly api: number;
  readonly version: number;
  /** Where the body begins in the message. */
  readonly body: number;
}

/** Reads the head of a request. Rejects: throws at a version whose layout is not known here. */
export function requestHead(message: Buffer): RequestHead {
  const api = message.readInt16BE(4);
  const version = message.readInt16BE(6);
  if (version > (VERSION_MAX[api] ?? version)) {
    throw new Error(`the proxy does not know version ${version} of Kafka's request ${api}`);
  }
  const clientId = message.readInt16BE(12);
  return { api, version, body: 14 + Math.max(0, clientId) };
}

/** What a Produce request writes. */
export interface Produced {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** The topics and partitions of a Produce request. */
export function producedBy(message: Buffer, { version, body }: RequestHead): Produced[] {
  const reader = new Reader(message, body);
  if (version >= 3) reader.text();
  reader.skip(6); // acks, time-out
  return reader.list(() => ({
    topic: reader.text() ?? '',
    partitions: reader.list(() => {
      const partition = reader.i32();
      reader.skip(Math.max(0, reader.i32()));
      return partition;
    }),
  }));
}

/** Where a broker is to be reached. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How a response is changed on its way. */
export interface Rewriting {
  /** The address that a client is told instead. */
  readonly address: (of: Address) => Address;
  /** Partitions that a client is not told of. */
  readonly isHidden: (topic: string, partition: number, topics: readonly string[]) => boolean;
}

/** The response with other addresses and without hidden partitions; as it is if it has none. */
export function rewritten(message: Buffer, head: RequestHead, rewriting: Rewriting): Buffer {
  if (head.api === API.metadata) return metadata(message, head.version, rewriting);
  if (head.api === API.findCoordinator) return coordinator(message, head.version, rewriting);
  return message;
}

/**
 * ```
 * metadata = [throttle i32: 3+], [broker], [cluster id: 2+], [controller i32: 1+], [topic]
 * broker   = node i32, host, port i32, [rack: 1+]
 * topic    = error i16, name, [is internal i8: 1+], [partition]
 * partition = error i16, index i32, leader i32, [replica i32], [in sync i32], [offline i32: 5+]
 * ```
 */
function metadata(message: Buffer, version: number, rewriting: Rewriting): Buffer {
  const reader = new Reader(message, 0);
  const writer = new Writer();
  reader.skip(LENGTH_BYTES + (version >= 3 ? 8 : 4));
  writer.add(reader.since(LENGTH_BYTES));
  brokers(reader, writer, version, rewriting);
  const { at } = reader;
  if (version >= 2) reader.text();
  reader.skip(version >= 1 ? 4 : 0);
  writer.add(reader.since(at));
  const topics = reader.list(() => topic(reader, version));
  const names = topics.map(({ name }) => name);
  const isShown = (name: string, index: number): boolean => !rewriting.isHidden(name, index, names);
  writer.list(
    topics.map(({ name, head, partitions }) => {
      const shown = partitions.filter(({ index }) => isShown(name, index));
      const part = new Writer();
      part.add(head);
      part.list(shown.map(({ bytes }) => bytes));
      return part.joined();
    }),
  );
  return writer.message();
}

function brokers(reader: Reader, writer: Writer, version: number, { address }: Rewriting): void {
  const entries = reader.list(() => {
    const entry = new Writer();
    const { at } = reader;
    reader.skip(4);
    entry.add(reader.since(at));
    entry.address(address({ host: reader.text() ?? '', port: reader.i32() }));
    const after = reader.at;
    if (version >= 1) reader.text();
    entry.add(reader.since(after));
    return entry.joined();
  });
  writer.list(entries);
}

interface Topic {
  readonly name: string;
  /** Everything in front of the partitions. */
  readonly head: Buffer;
  readonly partitions: readonly { readonly index: number; readonly bytes: Buffer }[];
}

function topic(reader: Reader, version: number): Topic {
  const { at } = reader;
  reader.skip(2);
  const name = reader.text() ?? '';
  reader.skip(version >= 1 ? 1 : 0);
  const head = reader.since(at);
  const partitions = reader.list(() => partition(reader, version));
  return { name, head, partitions };
}

function partition(reader: Reader, version: number): { index: number; bytes: Buffer } {
  const { at } = reader;
  reader.skip(2);
  const index = reader.i32();
  reader.skip(4);
  for (let lists = version >= 5 ? 3 : 2; lists > 0; lists -= 1) reader.list(() => reader.i32());
  return { index, bytes: reader.since(at) };
}

/**
 * ```
 * coordinator = [throttle i32: 1+], error i16, [error text: 1+], node i32, host, port i32
 * ```
 */
function coordinator(message: Buffer, version: number, { address }: Rewriting): Buffer {
  const reader = new Reader(message, 0);
  const writer = new Writer();
  reader.skip(LENGTH_BYTES + (version >= 1 ? 10 : 6));
  if (version >= 1) reader.text();
  reader.skip(4);
  writer.add(reader.since(LENGTH_BYTES));
  const of = { host: reader.text() ?? '', port: reader.i32() };
  // Without a coordinator it says host "" and port −1.
  writer.address(of.port < 0 ? of : address(of));
  return writer.message();
}

/** Reads field after field. */
class Reader {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  i32(): number {
    this.at += 4;
    return this.#bytes.readInt32BE(this.at - 4);
  }

  text(): string | null {
    const length = this.#bytes.readInt16BE(this.at);
    this.at += 2 + Math.max(0, length);
    return length < 0 ? null : this.#bytes.toString('utf8', this.at - length, this.at);
  }

  list<T>(item: () => T): T[] {
    return Array.from({ length: Math.max(0, this.i32()) }, item);
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  /** The bytes from there to here. */
  since(at: number): Buffer {
    return this.#bytes.subarray(at, this.at);
  }
}

/** Puts a message together. */
class Writer {
  readonly #parts: Buffer[] = [];

  add(bytes: Buffer): void {
    this.#parts.push(bytes);
  }

  list(items: readonly Buffer[]): void {
    this.#parts.push(i32(items.length), ...items);
  }

  address({ host, port }: Address): void {
    const text = Buffer.from(host);
    const length = Buffer.alloc(2);
    length.writeInt16BE(text.length);
    this.#parts.push(length, text, i32(port));
  }

  joined(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** With its length in front. */
  message(): Buffer {
    const body = this.joined();
    return Buffer.concat([i32(body.length), body]);
  }
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
