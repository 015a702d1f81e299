import type { Mutant } from '../support/mutant-sources.ts';

const ALLOCATOR = 'src/ingest/credit/allocator.ts';
const BOOKS = 'src/ingest/credit/books.ts';
const CONSTANTS = 'src/ingest/credit/constants.ts';
const ARRIVALS = 'src/ingest/credit/arrivals.ts';
const DRAIN = 'src/ingest/credit/drain-rate.ts';
const TURNS = 'src/ingest/credit/turns.ts';

/** What finds a mutant: the random histories, or a scenario. */
export type CaughtBy = 'histories' | { readonly scenario: string };

/** A failure mode of CREDIT §9. */
export interface CreditMutant extends Mutant {
  readonly by: CaughtBy;
}

/** The failure modes of CREDIT §9, by number; those of tenants are left out. */
export const CREDIT_MUTANTS: Readonly<Record<string, CreditMutant>> = {
  'F1 credit on receipt': {
    what: 'a frame gives its credit back when it comes',
    by: 'histories',
    patches: [
      {
        file: BOOKS,
        text: 'if (!this.memory.isPressed) return settled + window - limit;',
        by: 'if (!this.memory.isPressed) return (rows.received[row] as number) + window - limit;',
      },
    ],
  },
  'F2 drain measured while the queue is low': {
    what: 'every completion tells the drain',
    by: 'histories',
    patches: [
      {
        file: DRAIN,
        text: 'if (!wasFull && !isSlow && bytes / busyS <= this.perSecond) return;',
        by: 'if (!wasFull && !isSlow && bytes < 0) return;',
      },
    ],
  },
  'F2 the same, in a crowd that is all but idle': {
    what: 'every completion tells the drain',
    by: { scenario: 'hot1pct' },
    patches: [
      {
        file: DRAIN,
        text: 'if (!wasFull && !isSlow && bytes / busyS <= this.perSecond) return;',
        by: 'if (!wasFull && !isSlow && bytes < 0) return;',
      },
    ],
  },
  'F2 a slow log that few devices cannot fill': {
    what: 'only a full queue tells the drain',
    by: { scenario: 'few' },
    patches: [
      { file: DRAIN, text: 'const SLOW_IN_A_ROW = 2;', by: 'const SLOW_IN_A_ROW = Infinity;' },
    ],
  },
  'F5 credit on its way never forgotten': {
    what: 'what does not come stays expected for ever',
    by: 'histories',
    patches: [
      {
        file: ARRIVALS,
        text: 'this.bytes = Math.max(0, this.bytes - (this.#slots[at] as number));',
        by: 'this.bytes = Math.max(0, this.bytes);',
      },
    ],
  },
  'F6 pipeline of an earlier connection ignored': {
    what: 'a channel starts as if the pipeline were empty',
    by: 'histories',
    patches: [
      {
        file: ALLOCATOR,
        text: 'rows.settled[row] = -carry;',
        by: 'rows.settled[row] = carry * 0;',
      },
    ],
  },
  'F7 unsettled bytes forgotten at close': {
    what: 'what a connection leaves in the pipeline leaves the books',
    by: 'histories',
    patches: [
      {
        file: ALLOCATOR,
        text: 'memory.used += unsettled * growth - rows.over(channel);',
        by: 'memory.used += Math.min(0, unsettled) - rows.over(channel);',
      },
    ],
  },
  'F7 unused credit kept at close': {
    what: 'the exposure of a closed channel stays in the pool',
    by: 'histories',
    patches: [
      {
        file: ALLOCATOR,
        text: 'memory.used += unsettled * growth - rows.over(channel);',
        by: 'memory.used += unsettled * growth;',
      },
    ],
  },
  'F8 pool not checked': {
    what: 'a turn takes what the window allows, whatever is left',
    by: 'histories',
    patches: [
      {
        file: BOOKS,
        text: 'Math.max(0, memory.room - kept)',
        by: 'Math.max(1e9, memory.room - kept)',
      },
    ],
  },
  'F9 partial turn to an empty channel': {
    what: 'a channel that got less than it may have leaves the ring',
    by: 'histories',
    patches: [
      {
        file: TURNS,
        text: "    if (more > bytes) lists.push(ring, row);\n    else books.leave(row);\n    return 'on';",
        by: "    books.leave(row);\n    return 'on';",
      },
      {
        file: TURNS,
        text: 'const least = Math.min(more, rows.one[row] as number);',
        by: 'const least = Math.min(more, (rows.one[row] as number) / 2);',
      },
      {
        file: TURNS,
        text: 'Math.min(more, rows.deficit[row] as number, tokens, books.most(row))',
        by: 'Math.min(more, (rows.deficit[row] as number) / 2, tokens, books.most(row))',
      },
    ],
  },
  'F10 forgotten when its turn finds no tokens': {
    what: 'a channel without tokens leaves its ring and does not sleep',
    by: 'histories',
    patches: [
      {
        file: TURNS,
        text: '      books.sleep(row, least);\n',
        by: '      books.leave(row);\n',
      },
    ],
  },
  'F11 quota not charged at the grant': {
    what: 'bulk costs no tokens',
    by: 'histories',
    patches: [
      {
        file: BOOKS,
        text: 'if (quota !== NONE) this.quotas.charge(quota, bytes);',
        by: 'if (quota !== NONE && rows.lane[row] === 0) this.quotas.charge(quota, bytes);',
      },
    ],
  },
  'F11 duplicates charged': {
    what: 'the cost of a duplicate does not come back to the quota',
    by: 'histories',
    patches: [
      {
        file: ALLOCATOR,
        text: 'if (quota !== NONE) this.books.quotas.charge(quota, -cost);',
        by: 'if (quota !== NONE) this.books.quotas.charge(quota, 0);',
      },
    ],
  },
  'F13 lane 2 without a share of a full pool': {
    what: 'the others may fill the pool to the last byte',
    by: 'histories',
    patches: [
      {
        file: CONSTANTS,
        text: 'poolKeptBytes: 2 * 8256 * JSON_GROWTH,',
        by: 'poolKeptBytes: 0 * JSON_GROWTH,',
      },
    ],
  },
  'F24 half a byte more than a turn can give': {
    what: 'the half of an odd window is wanted whole, so the head of ring 2 waits for ever',
    by: 'histories',
    patches: [
      { file: BOOKS, text: 'Math.floor(window / 2) : backlog', by: 'window / 2 : backlog' },
    ],
  },
  'F14 backfill takes turns like live': {
    what: 'while live waits, backfill gets as much',
    by: 'histories',
    patches: [
      {
        file: TURNS,
        text: 'pipe.owedBackfill >= one && inPlay < inPlayMost',
        by: 'pipe.owedBackfill >= 0 && inPlay < inPlayMost',
      },
    ],
  },
  'F15 lane 0 without its cap': {
    what: 'a device may have of lane 0 what it likes',
    by: 'histories',
    patches: [
      {
        file: TURNS,
        text: 'const bytes = Math.floor(Math.min(more, this.#books.tokens(row, now)));',
        by: 'const bytes = Math.floor(Math.min(more, this.#books.tokens(row, now) + 1e6));',
      },
    ],
  },
  'F15 lane 0 shrinks with the pool': {
    what: 'the window of lane 0 is smaller while the pool is pressed',
    by: 'histories',
    patches: [
      {
        file: BOOKS,
        text: 'if (lane === LANE.critical) return settled + 2 * one - limit;',
        by: 'if (lane === LANE.critical) return settled + (this.memory.isPressed ? 1 : 2) * one - limit;',
      },
    ],
  },
  'F16 limit lowered when the log stops': {
    what: 'limits fall to what was received',
    by: 'histories',
    patches: [
      {
        file: ALLOCATOR,
        text: '    (this.books.pipes[pipe] as Pipe).stopped = why;\n',
        by: '    (this.books.pipes[pipe] as Pipe).stopped = why;\n    for (let row = 0; row < this.books.rows.size; row += 1) {\n      if (this.books.rows.credit(row) > 0 && this.books.rows.isOpen[row]) this.books.grant(row, -1);\n    }\n',
      },
    ],
  },
  'F17 grants while the log is down': {
    what: 'turns go on',
    by: 'histories',
    patches: [
      {
        file: TURNS,
        text: 'if (pipe.stopped !== WHY.none) return;',
        by: 'if (pipe.stopped > WHY.draining) return;',
      },
    ],
  },
  'F21 settled counted twice': {
    what: 'what settles of an earlier connection counts twice',
    by: 'histories',
    patches: [
      {
        file: ALLOCATOR,
        text: '    books.settle(successor, cost);\n',
        by: '    books.settle(successor, 2 * cost);\n',
      },
    ],
  },
  'F23 a row reused while a list still holds it': {
    what: 'a closed channel is free at once',
    by: 'histories',
    patches: [
      {
        file: ALLOCATOR,
        text: 'if (rows.list[channel] === LIST.none) rows.give(channel);',
        by: 'if (rows.list[channel] !== 99) rows.give(channel);',
      },
    ],
  },
  'F3 target shorter than an append': {
    what: 'the queue is wanted no longer where an append takes long by itself',
    by: { scenario: 'kafka150' },
    patches: [
      {
        file: DRAIN,
        text: 'this.#constants.targetAppends * this.#smallS',
        by: '0 * this.#constants.targetAppends * this.#smallS',
      },
    ],
  },
  'F3 a log that became dear is not believed': {
    what: 'what a forced small append tells counts as little as any other',
    by: { scenario: 'worse' },
    patches: [{ file: DRAIN, text: 'probeS ? 1 / 2 : 1 / 16', by: 'probeS ? 1 / 16 : 1 / 16' }],
  },
  'F4 credit on its way not counted': {
    what: 'only what waits is in play',
    by: { scenario: 'sat600' },
    patches: [
      {
        file: BOOKS,
        text: 'pipe.arrivals.expect(expected, this.#slot, roundTripS);',
        by: 'pipe.arrivals.expect(0 * expected, this.#slot, roundTripS);',
      },
    ],
  },
  'F15 lane 0 without a cap for all': {
    what: 'lane 0 of all devices may take the whole log',
    by: { scenario: 'flood0all' },
    patches: [
      {
        file: TURNS,
        text: 'pipe.hasCritical(now);',
        by: '(pipe.hasCritical(now) || left > 0);',
      },
    ],
  },
  'F18 a stall taken for a rate': {
    what: 'a completion counts for all the time that it took',
    by: { scenario: 'stall' },
    patches: [
      { file: DRAIN, text: 'Math.min(stallS, since)', by: 'Math.min(1e9 * stallS, since)' },
    ],
  },
  'F19 windows do not shrink under pressure': {
    what: 'idle devices keep what they were granted when they were busy',
    by: { scenario: 'rotate' },
    patches: [
      {
        file: BOOKS,
        text: 'if (!this.memory.isPressed) return settled + window - limit;',
        by: 'if (limit >= 0) return settled + window - limit;',
      },
    ],
  },
  'F20 windows do not grow': {
    what: 'a window stays at two largest frames',
    by: { scenario: 'ramp300' },
    patches: [
      {
        file: ALLOCATOR,
        text: 'const wanted = (constants.gain * used * round) / lasts;',
        by: 'const wanted = (0 * constants.gain * used * round) / lasts;',
      },
    ],
  },
  'F22 every new window is on its way': {
    what: 'a fleet that joins is expected to send all it is granted',
    by: { scenario: 'hot1pct' },
    patches: [{ file: BOOKS, text: 'bytes * this.constants.freshPart', by: 'bytes' }],
  },
};
