import { LOG } from '../../../src/model/record.ts';
import { decodeMark, encodeMark } from '../../../src/wire/mark.ts';
import {
  emptyHeader,
  HEADER_BYTES_MAX,
  readHeader,
  writeHeader,
} from '../../../src/wire/record-header.ts';
import { decodeCause, encodeCause } from '../../../src/wire/result-cause.ts';
import { decodeSchema } from '../../../src/wire/schema.ts';
import type { Dice } from '../../sim/random.ts';
import { referenceDecode } from '../../support/cbor-reference.ts';
import { clockMs } from '../cpu-clock.ts';
import * as item from '../grow/items.ts';
import { mutateBytes } from '../grow/mutate-bytes.ts';
import { mutateCbor } from '../grow/mutate-cbor.ts';
import { headerOf, schemaTree } from '../grow/records.ts';
import {
  argumentOf,
  MAJOR,
  majorOf,
  type Node,
  parseTree,
  widthOf,
  writeTree,
} from '../grow/tree.ts';
import * as value from '../grow/values.ts';
import { brief, claim } from '../oracle/finding.ts';
import { differsIn, headerReference, isSafeHeader } from '../oracle/header-reference.ts';
import { same, sameBytes } from '../oracle/same.ts';
import type { Attempt, Target } from './target.ts';

/** What a consumer meets besides frames: headers, marks, schemas, causes. Source: App. D. */

/** A decoder whose result the oracle `claimed` judges; it returns what happened, in a word. */
function attempt<T>(decode: () => T, judged: (result: T) => string): Attempt {
  const begun = clockMs();
  const result = decode();
  const ms = clockMs() - begun;
  return { ms: [ms], sign: judged(result) };
}

/** Record headers. One header is filled again and again, as readers do. */
export class HeaderTarget implements Target {
  readonly name = 'header';
  readonly share = 40;
  readonly #header = emptyHeader();

  make(dice: Dice): Uint8Array {
    return headerOf(dice);
  }

  mutate(dice: Dice, bytes: Uint8Array): Uint8Array {
    return mutateBytes(dice, bytes);
  }

  attempt(bytes: Uint8Array): Attempt {
    const header = this.#header;
    return attempt(
      () => readHeader(bytes, header),
      (isRead) => {
        const reference = headerReference(bytes);
        claim(isRead === (reference !== null), () => `read: ${isRead}, ${brief(reference)}`);
        if (reference === null) return 'refused';
        const place = differsIn(header, reference);
        claim(place === null, () => `another ${place}: ${brief(header)}`);
        if (!isSafeHeader(reference) || header.hashes.length > 64 * 16)
          return 'beyond what we write';
        const out = new Uint8Array(HEADER_BYTES_MAX);
        const again = emptyHeader();
        const end = writeHeader(out, 0, header);
        claim(readHeader(out.subarray(0, end), again), 'what was read and written is refused');
        claim(same({ ...again }, { ...header }), () => `rewritten it is ${brief(again)}`);
        return `kind ${header.kind}, lane ${header.lane}`;
      },
    );
  }
}

/** Mark records. */
export class MarkTarget implements Target {
  readonly name = 'mark';
  readonly share = 25;

  make(dice: Dice): Uint8Array {
    const entry = (): Node =>
      item.array([
        value.text(dice),
        item.int(dice.below(dice.chance(0.95) ? 3 : 5)),
        item.int(value.signed(dice)),
      ]);
    return writeTree([item.array(Array.from({ length: 1 + dice.below(4) }, entry))]);
  }

  mutate(dice: Dice, bytes: Uint8Array, donor: Uint8Array): Uint8Array {
    return mutateCbor(dice, bytes, donor);
  }

  attempt(bytes: Uint8Array): Attempt {
    return attempt(
      () => decodeMark(bytes),
      (entries) => {
        const isGood = isMark(bytes);
        claim((entries !== null) === isGood, () => `good: ${isGood}, decoded: ${brief(entries)}`);
        if (entries === null) return 'refused';
        const values = referenceDecode(bytes, 1)?.value;
        const seen = entries.map(({ device, class: of, watermark }) => [device, of, watermark]);
        claim(same(seen, values), () => `${brief(seen)}, not ${brief(values)}`);
        claim(same(decodeMark(encodeMark(entries)), entries), 'rewritten it is another mark');
        return `${entries.length} entries`;
      },
    );
  }
}

function isMark(bytes: Uint8Array): boolean {
  if (referenceDecode(bytes, 1) === null) return false;
  const [top] = parseTree(bytes) as [Node];
  const isEntry = (entry: Node): boolean => {
    const [device, of, watermark] = entry.items as [Node, Node, Node];
    if (majorOf(entry) !== MAJOR.array || entry.items.length !== 3) return false;
    const isClass = majorOf(of) === MAJOR.uint && argumentOf(of) <= 2;
    return majorOf(device) === MAJOR.text && isClass && majorOf(watermark) <= MAJOR.negative;
  };
  return majorOf(top) === MAJOR.array && top.items.length > 0 && top.items.every(isEntry);
}

/** Set definitions of the schema log. */
export class SchemaTarget implements Target {
  readonly name = 'schema';
  readonly share = 25;

  make(dice: Dice): Uint8Array {
    return writeTree([schemaTree(dice)]);
  }

  mutate(dice: Dice, bytes: Uint8Array, donor: Uint8Array): Uint8Array {
    return mutateCbor(dice, bytes, donor);
  }

  attempt(bytes: Uint8Array): Attempt {
    const hash = new Uint8Array(16);
    return attempt(
      () => decodeSchema(bytes, hash),
      (schema) => {
        const isGood = isSchema(bytes);
        claim((schema !== null) === isGood, () => `good: ${isGood}, decoded: ${brief(schema)}`);
        if (schema === null) return 'refused';
        const { of, columns } = schema;
        const seen = [of, columns.map((c) => [c.name, c.unit, c.scale, c.offset])];
        const values = referenceDecode(bytes, 1)?.value;
        claim(same(seen, values), () => `${brief(seen)}, not ${brief(values)}`);
        claim(sameBytes(schema.bytes, bytes), 'the bytes of the schema are others');
        return `${columns.length} columns`;
      },
    );
  }
}

function isSchema(bytes: Uint8Array): boolean {
  if (referenceDecode(bytes, 1) === null) return false;
  const [top] = parseTree(bytes) as [Node];
  const [of, columns] = top.items;
  const isList = (node: Node | undefined): node is Node =>
    node !== undefined && majorOf(node) === MAJOR.array;
  const isText = (node: Node | undefined): boolean =>
    node !== undefined && majorOf(node) === MAJOR.text;
  const isFloat = (node: Node | undefined): boolean =>
    node !== undefined && majorOf(node) === MAJOR.other && widthOf(node) >= 2;
  const isColumn = (column: Node): boolean => {
    const [name, unit, scale, offset] = column.items;
    const isFour = isList(column) && column.items.length === 4;
    return isFour && isText(name) && isText(unit) && isFloat(scale) && isFloat(offset);
  };
  if (!isList(top) || top.items.length !== 2 || !isText(of) || !isList(columns)) return false;
  return columns.items.length >= 1 && columns.items.length <= 64 && columns.items.every(isColumn);
}

/** Headers of results. */
export class CauseTarget implements Target {
  readonly name = 'cause';
  readonly share = 10;

  make(dice: Dice): Uint8Array {
    const log = dice.chance(0.5) ? LOG.readings : LOG.alarms;
    return encodeCause({ log, shard: 3, offset: value.uint(dice), index: dice.below(2 ** 32) });
  }

  mutate(dice: Dice, bytes: Uint8Array): Uint8Array {
    return mutateBytes(dice, bytes);
  }

  attempt(bytes: Uint8Array): Attempt {
    return attempt(
      () => decodeCause(bytes, 3),
      (cause) => {
        const [version, log] = bytes;
        const isGood = bytes.length === 14 && version === 1 && (log as number) <= 1;
        claim((cause !== null) === isGood, () => `good: ${isGood}, decoded: ${brief(cause)}`);
        if (cause === null) return 'refused';
        if (!Number.isSafeInteger(cause.offset)) return 'beyond what we write';
        claim(sameBytes(encodeCause(cause), bytes), () => `rewritten it is ${brief(cause)}`);
        return `log ${cause.log}`;
      },
    );
  }
}
