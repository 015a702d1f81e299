import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameDecoder, readingsOf } from '../../src/consumer/frame-decoder.ts';
import { SchemaCache } from '../../src/consumer/schema-cache.ts';
import type { ColumnEntry, DeviceBlock } from '../../src/wire/messages.ts';
import { headerOf, recordOf } from '../support/log-records.ts';
import { frameValue, schemaFor } from '../support/tail-log.ts';

const DEVICE = 'plant/pump';
const ROWS_MAX = 12;

const number = fc.double({ noNaN: true, min: -1e9, max: 1e9 });
const columnEntry = (name: string): fc.Arbitrary<ColumnEntry> =>
  fc.tuple(
    fc.constant(name),
    fc.constantFrom('', 'Cel', 'm/s2'),
    fc.oneof(fc.constant(1), number),
    fc.oneof(fc.constant(0), number),
  );
const setOf = (id: number) =>
  fc
    .array(fc.nat(), { minLength: 1, maxLength: 4 })
    .chain((some) => fc.tuple(...some.map((_, i) => columnEntry(`s${id}/c${i}`))))
    .map((cols) => ({ id, cols, schema: schemaFor(DEVICE, cols) }));
const sets = fc.tuple(setOf(3), setOf(8));

/** A column as it is sent, and the raw value of each row, null for none. */
interface Sent {
  readonly sent: DeviceBlock['v'][number];
  readonly raw: readonly (number | string | null)[];
}

const column = (rows: number): fc.Arbitrary<Sent> => {
  const list = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
    fc.array(of, { minLength: rows, maxLength: rows });
  return fc.oneof(
    list(fc.integer({ min: -32_768, max: 32_767 })).map((raw) => ({
      sent: Int16Array.from(raw),
      raw,
    })),
    list(fc.double()).map((raw) => ({
      sent: Float64Array.from(raw),
      raw: raw.map((value) => (Number.isFinite(value) ? value : null)),
    })),
    list(fc.float()).map((raw) => ({
      sent: Float32Array.from(raw),
      raw: raw.map((value) => (Number.isFinite(value) ? value : null)),
    })),
    list(fc.option(fc.boolean())).map((sent) => ({
      sent,
      raw: sent.map((value) => (value === null ? null : Number(value))),
    })),
    list(fc.option(fc.string({ maxLength: 8, unit: 'grapheme' }))).map((sent) => ({
      sent,
      raw: sent,
    })),
    fc.oneof(number, fc.constant(null), fc.constant('idle')).map((one) => ({
      sent: one,
      raw: Array.from({ length: rows }, () => one),
    })),
  );
};

const T0 = fc.integer({ min: 0, max: 4e15 });
const block = (width: number) =>
  fc.integer({ min: 2, max: ROWS_MAX }).chain((rows) =>
    fc.record({
      rows: fc.constant(rows),
      t: T0,
      d: fc.array(fc.nat(1_000_000), { minLength: rows - 1, maxLength: rows - 1 }),
      q: fc.array(fc.nat(255), { minLength: rows, maxLength: rows }),
      fid: fc.integer({ min: 1, max: 50 }),
      columns: fc.array(column(rows), { minLength: width, maxLength: width }),
    }),
  );

const frame = sets.chain((both) =>
  fc
    .array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 5 })
    .chain((order) =>
      fc.tuple(...order.map((i) => block(both[i as 0 | 1].cols.length).map((b) => ({ i, ...b })))),
    )
    .map((blocks) => ({ both, blocks })),
);

it('readings are what the device sent: raw × scale + offset, at t + d, row by row', () => {
  fc.assert(
    fc.property(frame, ({ both, blocks }) => {
      const schemas = new SchemaCache();
      for (const { schema } of both) schemas.add(schema);
      const setAt = (i: number) => both[i as 0 | 1];
      const sent = blocks.map(({ i, t, d, q, fid, columns }) => ({
        s: setAt(i).id,
        t,
        d,
        q,
        fid,
        v: columns.map((c) => c.sent),
      }));
      const used = [...new Set(blocks.map(({ i }) => i))];
      const hashes = Uint8Array.from(used.flatMap((i) => [...setAt(i).schema.hash]));
      const text = { device: DEVICE, hashes, value: frameValue(1, sent) };
      const decoded = new FrameDecoder(schemas).decode(recordOf(text), headerOf(text));
      expect(decoded).toHaveProperty('blocks');
      if ('fault' in decoded) return;

      const expected = blocks.flatMap(({ i, rows, t, d, q, fid, columns }) =>
        Array.from({ length: rows }, (_, row) =>
          columns.flatMap(({ sent: whole, raw }, c) => {
            if (whole === null) return [];
            const [name, unit = '', scale = 1, offset = 0] = setAt(i).cols[c] as ColumnEntry;
            const value = raw[row] as number | string | null;
            // A definition has no −0 (App. D): `+ 0` is what becomes of it.
            const physical = typeof value === 'number' ? value * (scale + 0) + (offset + 0) : value;
            const time = d.slice(0, row).reduce((sum, step) => sum + step, t);
            return { topic: `${DEVICE}/${name}`, unit, t: time, v: physical, q: q[row], fid };
          }),
        ).flat(),
      );
      expect([...readingsOf(decoded.blocks)]).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
