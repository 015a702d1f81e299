import { LANE } from '../../model/reading.ts';
import { WHY } from '../../model/why.ts';
import type { Books } from './books.ts';
import type { Pipe } from './pipe.ts';

/** What came of one channel's turn. */
type Turn = 'on' | 'no more backfill' | 'in vain';

/**
 * Who is granted credit: a channel whose limit may advance stands in a ring, and whenever there is
 * room before the log the one at its head gets a largest frame's worth and goes to its end. Fair in
 * bytes whatever the round trips. Source: CREDIT §5.2, §5.3.
 */
export class Turns {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  /** Gives out what there is room for. */
  serve(pipe: Pipe, now: number): void {
    // Lane 0 holds no more than its own, so an alarm gets out of its device in an outage. [R7-11]
    this.#serveCritical(pipe, now);
    if (pipe.stopped !== WHY.none) return;
    pipe.served(this.#serveBulk(pipe, now), now);
  }

  /** Lanes 1 to 3. Returns how many turns were in vain. */
  #serveBulk(pipe: Pipe, now: number): number {
    let mayBackfill = true;
    let inVain = 0;
    while (inVain < this.#books.constants.inVainMax) {
      const ring = this.#ringOf(pipe, mayBackfill);
      if (ring < 0) break;
      const turn = this.#turn(pipe, ring, now);
      if (turn === 'no more backfill') mayBackfill = false;
      else if (turn === 'in vain') inVain += 1;
    }
    return inVain;
  }

  /** Lane 0: at once, while it is below its share of the drain. Each that stands there once. */
  #serveCritical(pipe: Pipe, now: number): void {
    const { lists, rows } = this.#books;
    const { ring0 } = pipe;
    for (let left = lists.length(ring0); left > 0 && pipe.hasCritical(now); left -= 1) {
      const row = lists.shift(ring0);
      const more = rows.isOpen[row] === 0 ? 0 : this.#books.more(row);
      if (more <= 0) {
        this.#books.leave(row);
        continue;
      }
      const bytes = Math.floor(Math.min(more, this.#books.tokens(row, now)));
      if (bytes > 0) {
        // A first window stands from the beginning, like its reserve: what is used of it is charged
        // when it is renewed. Or those that come last in a crowd would wait for it.
        const isFirst = rows.limit[row] === 0;
        this.#books.grant(row, bytes);
        if (!isFirst) pipe.chargeCritical(bytes);
      }
      const one = rows.one[row] as number;
      const isShort = bytes < more && rows.credit(row) < one;
      if (isShort) this.#books.sleep(row, Math.min(more - Math.max(0, bytes), one));
      else this.#books.leave(row);
    }
  }

  /** The ring whose turn it is, or −1: there is no room, or nobody waits. */
  #ringOf(pipe: Pipe, mayBackfill: boolean): number {
    const { lists, rows, constants } = this.#books;
    const { ring1, ring2, inPlay, inPlayMost } = pipe;
    const isLiveWaiting = lists.length(ring1) > 0;
    if (mayBackfill && lists.length(ring2) > 0) {
      const unused = (1 - constants.backfillPart) * pipe.drain.targetBytes;
      const one = rows.one[lists.head(ring2)] as number;
      const isTurn = isLiveWaiting
        ? pipe.owedBackfill >= one && inPlay < inPlayMost
        : inPlay < inPlayMost - unused;
      if (isTurn) return ring2;
    }
    return isLiveWaiting && inPlay < inPlayMost ? ring1 : -1;
  }

  #turn(pipe: Pipe, ring: number, now: number): Turn {
    const books = this.#books;
    const { lists, rows } = books;
    const row = lists.shift(ring);
    const more = rows.isOpen[row] === 0 ? 0 : books.more(row);
    if (more <= 0) {
      books.leave(row);
      return 'on';
    }
    books.addTurn(row, 1);
    const least = Math.min(more, rows.one[row] as number);
    const tokens = books.tokens(row, now);
    const bytes = Math.floor(Math.min(more, rows.deficit[row] as number, tokens, books.most(row)));
    if (tokens < least) {
      books.sleep(row, least);
      return 'on';
    }
    if (bytes < least) {
      const turn = this.#short(ring, row, bytes);
      if (turn !== 'take') return turn;
    }
    this.#give(pipe, row, bytes);
    if (more > bytes) lists.push(ring, row);
    else books.leave(row);
    return 'on';
  }

  /** The pool has less than its turn. */
  #short(ring: number, row: number, bytes: number): Turn | 'take' {
    const books = this.#books;
    const { lists, rows } = books;
    // Without a reserve, less than a frame would be of no use and could fill the pool for ever.
    const isStarved = rows.reserve[row] === 0 && rows.credit(row) < (rows.one[row] as number);
    if (!isStarved && bytes >= 1) return 'take';
    books.addTurn(row, -1);
    const isBackfill = rows.lane[row] === LANE.backfill;
    if (isStarved && (isBackfill || books.reserve(row))) {
      lists.unshift(ring, row);
      return isBackfill ? 'no more backfill' : 'on';
    }
    lists.push(ring, row);
    return 'in vain';
  }

  #give(pipe: Pipe, row: number, bytes: number): void {
    const { rows } = this.#books;
    this.#books.grant(row, bytes);
    rows.deficit[row] = (rows.deficit[row] as number) - bytes;
    if (rows.lane[row] === LANE.backfill) {
      pipe.owedBackfill = Math.max(0, pipe.owedBackfill - bytes);
    } else pipe.oweBackfill(bytes);
  }
}
