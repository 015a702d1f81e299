import type { Mutant } from '../support/mutant-sources.ts';

const ADMISSION = 'src/ingest/admission.ts';
const CONNECTION = 'src/client/connection.ts';
const CREDIT = 'src/ingest/credit.ts';
const INGEST = 'src/ingest/ingest.ts';
const LANE_QUEUE = 'src/client/lane-queue.ts';
const MINIMAL = 'test/sim/minimal-device.ts';
const OPENING = 'src/ingest/opening.ts';
const OWNED_LOG = 'src/delivery/owned-log.ts';

/** The faults of PROTOCOL §16 that concern sessions and credit, under the names they have there. */
const NAMED: Readonly<Record<string, Mutant>> = {
  'ack on admission': {
    what: 'what was admitted is acked, durable or not',
    patches: [
      {
        file: 'src/ingest/flows.ts',
        text: 'Math.max(state.ack, channel.baseAck)',
        by: 'Math.max(state.adm, channel.baseAck)',
      },
    ],
  },
  'credit on receipt': {
    what: 'a frame gives its credit back when it comes, not when it is settled',
    patches: [
      {
        file: ADMISSION,
        text: '    this.#credit.frame(channel, cost, this.#reader.bl, now);\n',
        by: '    this.#credit.frame(channel, cost, this.#reader.bl, now);\n    this.#credit.settled(session.device as Device, channel.lane, channel, cost);\n',
      },
      {
        file: INGEST,
        text: '    this.credit.settled(device, row.lane, channel, row.cost);\n',
        by: '    if (channel) channel.isChanged = true;\n',
      },
    ],
  },
  'credit kept across reconnect': {
    what: 'a device goes on with the limit of its last connection',
    patches: [{ file: LANE_QUEUE, text: '    this.lim = 0;\n', by: '' }],
  },
  'pipeline ignored on resume': {
    what: 'adm at welcome is what is durable, without what is on its way',
    patches: [
      {
        file: OPENING,
        text: 'isKnown ? Math.max(state.adm, first - 1) : first - 1,',
        by: 'isKnown ? Math.max(state.ack, first - 1) : first - 1,',
      },
    ],
  },
  'missing connection fence': {
    what: 'an earlier connection of the device is left open',
    patches: [
      {
        file: OPENING,
        text: 'if (before.session !== 0) this.#parts.fence(before.session, now);',
        by: '',
      },
    ],
  },
  'missing fence record': {
    what: 'every owner writes as the first one did',
    patches: [
      {
        file: OWNED_LOG,
        text: 'this.#wasOwned ? this.tails.gen(shard) + 1 : firstGen(shard),',
        by: 'firstGen(shard) > Number.POSITIVE_INFINITY ? 0 : 1,',
      },
      {
        file: 'test/sim/node.ts',
        text: 'const own = Uint8Array.from({ length: OWN_BYTES }, () => parts.dice.below(256));',
        by: 'const own = new Uint8Array(OWN_BYTES).fill(1);',
      },
    ],
  },
  'base offset not checked': {
    what: 'rows that come back at another offset than expected are acknowledged all the same',
    patches: [
      {
        file: OWNED_LOG,
        text: 'if (gaps.length > 0) this.#port.read',
        by: 'if (gaps.length > 0 && this.#fence) this.#port.read',
      },
    ],
  },
  'reused epoch': {
    what: 'the next epoch is the highest known one + 1',
    patches: [
      {
        file: 'src/ingest/epochs.ts',
        text: 'byClock >= least ? byClock : least + Math.floor(this.#random() * AHEAD);',
        by: 'byClock >= least + AHEAD ? known + 1 : known + 1;',
      },
    ],
  },
  'undeclared hole': {
    what: 'a frame that is dropped leaves its successor as it was',
    patches: [
      {
        file: LANE_QUEUE,
        text: 'if (successor) successor.lost += 1 + frame.lost;',
        by: 'if (successor) return frame;',
      },
    ],
  },
  'header lost from adm': {
    what: 'after a jump at hello the header counts from adm, not from the record before',
    patches: [
      { file: ADMISSION, text: 'row.n - 1 - state.lastRow', by: 'row.n - 1 - channel.adm' },
    ],
  },
  'uncertain kept per session': {
    what: 'the uncertain mark is forgotten with the session in which it became due',
    patches: [
      {
        file: OPENING,
        text: '    state.uncertainEpoch = epoch;\n  }',
        by: '    state.uncertainEpoch = epoch;\n  } else state.uncertainEpoch = 0;',
      },
    ],
  },
  'cursor at a dropped frame': {
    what: 'the send cursor stays where it was when frames before it are freed or dropped',
    patches: [
      { file: LANE_QUEUE, text: '    if (index < this.#sentHere) this.#sentHere -= 1;\n', by: '' },
    ],
  },
  'retained frame above mf kept': {
    what: 'a retained frame longer than the granted mf is sent all the same',
    patches: [
      {
        file: CONNECTION,
        text: '    for (const queue of ring.lanes) this.#fit(effects, queue);\n',
        by: '    if (f.length > 1e9) for (const queue of ring.lanes) this.#fit(effects, queue);\n',
      },
    ],
  },
  'stale next number after reboot': {
    what: 'a device with an old memory does not see by the acks that it is old',
    patches: [
      {
        file: MINIMAL,
        text: 'return entries.some(([c, ack]) => ack >= (this.#lane(c)?.next ?? Number.POSITIVE_INFINITY));',
        by: 'return entries.length > 1e9;',
      },
    ],
  },
  'poison frame sent again': {
    what: 'a frame that away named is kept',
    patches: [
      {
        file: CONNECTION,
        text: "if (queue && n !== undefined) drop(effects, queue, n, 'named by away');",
        by: '',
      },
    ],
  },
  'idle while blocked': {
    what: 'a class whose lane has no credit is judged idle',
    patches: [
      {
        file: 'src/ingest/session.ts',
        text: 'return channel.lane === LANE.backfill || channel.openMs(nowMs) >= IDLE_MS;',
        by: 'return true;',
      },
    ],
  },
};

/** Bugs that we thought of ourselves. */
const OWN: Readonly<Record<string, Mutant>> = {
  'idle at once': {
    what: 'a class is judged idle as soon as its device is welcomed, or has credit again',
    patches: [
      {
        file: 'src/ingest/session.ts',
        text: 'channel.openMs(nowMs) >= IDLE_MS',
        by: 'channel.openMs(nowMs) > 0',
      },
    ],
  },
  'a failed append counts as done': {
    what: 'rows that are not found before the own fence are not appended again',
    patches: [
      {
        file: 'src/delivery/undecided.ts',
        text: 'return !this.#found.has(row);',
        by: 'return this.#found.size > 1e9 && !this.#found.has(row);',
      },
    ],
  },
  'found rows are appended again': {
    what: 'rows that are found before the own fence are appended once more',
    patches: [
      {
        file: 'src/delivery/undecided.ts',
        text: 'return !this.#found.has(row);',
        by: 'return this.#found.size < 1e9 || !this.#found.has(row);',
      },
    ],
  },
  'a deposed owner serves on': {
    what: 'the foreign fence is read and nothing follows from it',
    patches: [
      {
        file: OWNED_LOG,
        text: 'if (this.#wasOwned && this.#sawForeignFence) {',
        by: 'if (this.#wasOwned && this.#sawForeignFence && this.recoveries < 0) {',
      },
    ],
  },
  'void records count in memory': {
    what: 'what a deposed owner wrote after the fence is taken in when it is read',
    patches: [
      {
        file: 'src/delivery/tails.ts',
        text: 'return header.gen === tail.gen && isSame(header.own, tail.own);',
        by: 'return header.gen <= tail.gen;',
      },
    ],
  },
  'duplicates are not settled': {
    what: 'the credit of a duplicate never comes back',
    patches: [
      {
        file: ADMISSION,
        text: '    this.#credit.duplicate(channel, cost);\n',
        by: '',
      },
    ],
  },
  'pipeline forgotten in the window': {
    what: 'what earlier connections left in the pipeline does not narrow the window',
    patches: [{ file: OPENING, text: 'carry: state.unsettled,', by: 'carry: 0,' }],
  },
  'orphans keep their memory': {
    what: 'the pipeline of a device that left is never given back to the budget',
    patches: [
      {
        file: CREDIT,
        text: '    } else this.#allocator.orphanSettled({ pipe: 0, lane, growth: device.growth }, NONE, cost);\n',
        by: '    }\n',
      },
    ],
  },
  'subscriptions outlive their session': {
    what: 'a dashboard that left stays subscribed',
    patches: [
      {
        file: INGEST,
        text: '    if (session.isWelcomed) this.#port.subscribers.close(session.id);\n',
        by: '',
      },
    ],
  },
};

/** Every bug that the world has to find. None of them is in `src`: they are put into a copy. */
export const MUTANTS: Readonly<Record<string, Mutant>> = { ...NAMED, ...OWN };
