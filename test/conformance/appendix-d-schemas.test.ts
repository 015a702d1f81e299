import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { schemaOf } from '../../src/wire/schema.ts';
import { hex } from '../support/bytes.ts';
import { useBed } from './bed.ts';
import { cborValue, float } from './encoding.ts';
import { publisher } from './peer.ts';
import { FRAME, headersOf } from './record.ts';
import { CODECS, READER, rule } from './rule.ts';
import { recordScenes, T } from './scenes.ts';

/** App. D: schema hashes and definitions, read by hand. */

const bed = useBed();
const { device } = recordScenes(bed);

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** The schema hash of §RD-17, with the CBOR written by hand. */
function hashOf(cols: readonly (readonly [string, string?, number?, number?])[], of = ''): string {
  const columns = cols.map(([name, unit = '', scale = 1, offset = 0]) => [
    name,
    unit,
    float(scale),
    float(offset),
  ]);
  const bytes = cborValue([of, columns]);
  return Buffer.from(sha256(bytes).subarray(0, 16)).toString('hex');
}

rule(
  'RD-14 RD-15',
  'one hash per distinct set, in the order of their first appearance',
  CODECS,
  async (codec) => {
    const peer = await device(codec);
    const [frame] = headersOf(bed().log.of(peer.device)).filter(
      ({ kind, lane }) => kind === FRAME && lane === 1,
    );
    expect(frame?.hashes).toEqual([hashOf([['b']]), hashOf([['temp', 'Cel']])]);
  },
);

rule('RD-17', 'the hash of the set of §17: 93 bytes, and the record of the page', READER, () => {
  const scale = Math.fround(9.80665 / 16_384);
  const cols = ['acc/x', 'acc/y', 'acc/z'].map((name) => [name, 'm/s2', scale] as const);
  const made = schemaOf({ k: 'def', c: 1, s: 1, cols }, 'd', sha256);
  if ('breach' in made) throw new Error(made.breach.message);
  expect(made.schema.bytes).toHaveLength(93);
  const begin =
    '82 60 83 84 65 61 63 63 2f 78 64 6d 2f 73 32 fb 3f 43 9d 01 40 00 00 00 fb 00 00 00 00 00 00 00 00';
  expect(Buffer.from(made.schema.bytes.subarray(0, 33))).toEqual(Buffer.from(hex(begin)));
  expect(Buffer.from(made.schema.hash)).toEqual(
    Buffer.from(hex('d5 18 e2 f8 c1 b3 fd 16 cb 8d dc 39 52 be f5 f8')),
  );
});

rule(
  'RD-17',
  'the same numbers give the same hash in either codec: −0 as 0, an absent unit as empty',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.say('def', { c: 1, s: 5, of: 'p', cols: [['a', '', 0.5, float(-0)], ['b']] });
    peer.frame({ n: 1 }, [{ s: 5, t: T, v: [1, 2] }]);
    await peer.acked(1);
    const [header] = headersOf(bed().log.of(peer.device));
    expect(header?.hashes).toEqual([
      hashOf(
        [
          ['a', '', 0.5, 0],
          ['b', '', 1, 0],
        ],
        'p',
      ),
    ]);
  },
);

rule(
  'RD-18',
  'the definition is in the log before the first record that uses it, under its hash',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.say('def', { c: 1, s: 5, cols: [[`only-${codec}`]] });
    peer.frame({ n: 1 }, [{ s: 5, t: T, v: [1] }]);
    await peer.acked(1);
    const [record] = bed().log.of(peer.device);
    const known = bed().log.schemas.slice(0, record?.schemasBefore);
    const own = known.find(
      ({ hash }) => Buffer.from(hash).toString('hex') === hashOf([[`only-${codec}`]]),
    );
    expect(own).toBeDefined();
    expect(Buffer.from(sha256(own?.bytes ?? new Uint8Array(0)).subarray(0, 16))).toEqual(
      Buffer.from(own?.hash ?? []),
    );
  },
);
