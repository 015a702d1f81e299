import type { FleetView } from './fleet-view.ts';
import { countOf, DUR_WORDS, durationOf, sizeOf, whyWords } from './words.ts';

/** What a status needs besides the fleet's own figures. */
export interface Progress {
  readonly url: string;
  readonly elapsedMs: number;
  /** Undefined: until Ctrl-C. */
  readonly durationMs?: number | undefined;
  readonly state: 'running' | 'finishing';
}

/** Frames and readings per second between two looks. */
interface Rates {
  readonly frames: number;
  readonly readings: number;
}

/** In a terminal the block is redrawn this often, else a line comes this often. Units: ms. */
const REDRAW_MS = 250;
const LINE_MS = 5000;
/** Rates are taken over at least this long. Units: ms. */
const RATE_MS = 1000;

/**
 * Shows how a fleet is doing: in a terminal one block that is redrawn in place, elsewhere a line
 * every 5 s. Notices go above the block.
 */
export class StatusDisplay {
  readonly #out: NodeJS.WriteStream;
  readonly #isTerminal: boolean;
  #dueMs: number;
  #lines = 0;
  #rates: Rates = { frames: 0, readings: 0 };
  #mark: { readonly atMs: number; readonly frames: number; readonly readings: number };

  constructor(out: NodeJS.WriteStream, nowMs: number) {
    this.#out = out;
    this.#isTerminal = out.isTTY === true;
    this.#dueMs = nowMs + (this.#isTerminal ? 0 : LINE_MS);
    this.#mark = { atMs: nowMs, frames: 0, readings: 0 };
  }

  /** When the next look is due. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Prints a line that stays. */
  say(line: string): void {
    this.#out.write(`${this.#eraser()}${line}\n`);
    this.#lines = 0;
  }

  show(view: FleetView, progress: Progress, nowMs: number): void {
    this.#measure(view, nowMs);
    this.#dueMs = nowMs + (this.#isTerminal ? REDRAW_MS : LINE_MS);
    if (!this.#isTerminal) {
      this.#out.write(`${lineOf(view, progress, this.#rates)}\n`);
      return;
    }
    const width = Math.max(40, (this.#out.columns || 80) - 1);
    const block = blockOf(view, progress, this.#rates).map((line) => line.slice(0, width));
    // One write: a terminal never shows the moment between the old block and the new one.
    this.#out.write(`${this.#eraser()}${block.join('\n')}\n`);
    this.#lines = block.length;
  }

  /** Takes the block away. */
  clear(): void {
    this.#out.write(this.#eraser());
    this.#lines = 0;
  }

  /** Moves to the first line of the block and erases from there on. */
  #eraser(): string {
    return this.#lines > 0 ? `\u001b[${this.#lines}A\u001b[0J` : '';
  }

  #measure({ tally }: FleetView, nowMs: number): void {
    const elapsed = nowMs - this.#mark.atMs;
    if (elapsed < RATE_MS) return;
    const per = (now: number, then: number): number => ((now - then) * 1000) / elapsed;
    this.#rates = {
      frames: per(tally.framesSent, this.#mark.frames),
      readings: per(tally.readingsSent, this.#mark.readings),
    };
    this.#mark = { atMs: nowMs, frames: tally.framesSent, readings: tally.readingsSent };
  }
}

const secondsOf = (ms: number): string => `${Math.floor(ms / 1000)} s`;

function presenceOf({ devices, live, done, stopped }: FleetView): string {
  const rest = [
    done > 0 ? `, ${countOf(done)} done` : '',
    stopped > 0 ? `, ${countOf(stopped)} stopped` : '',
  ];
  return `${countOf(live)} of ${countOf(devices)} connected${rest.join('')}`;
}

function blockOf(view: FleetView, progress: Progress, rates: Rates): string[] {
  const { tally } = view;
  const row = (name: string, text: string): string => `  ${name.padEnd(12)} ${text}`;
  const pair = (frames: number, readings: number): string =>
    `${countOf(frames).padStart(11)} frames ${countOf(readings).padStart(15)} readings`;
  const until = progress.durationMs === undefined ? '' : ` of ${secondsOf(progress.durationMs)}`;
  const ack = (q: number): string => durationOf(tally.latency.quantile(q));
  const worth = tally.dur === null ? '' : `   ${DUR_WORDS[Math.min(2, tally.dur)]}`;
  const title = progress.state === 'running' ? 'Sending to' : 'Waiting for the last acks from';
  return [
    `${title} ${progress.url}, ${secondsOf(progress.elapsedMs)}${until}`,
    row('devices', presenceOf(view)),
    row('sent', pair(tally.framesSent, tally.readingsSent)),
    row('per second', pair(rates.frames, rates.readings)),
    row('acked', `${pair(tally.framesAcked, tally.readingsAcked)}${worth}`),
    row('unacked', `${countOf(view.inFlight).padStart(11)} frames`),
    row('backlog', `${sizeOf(view.backlog).padStart(11)}   waits for credit or a connection`),
    row('credit', `${sizeOf(view.credit).padStart(11)}   may be sent at once`),
    row('ack latency', `p50 ${ack(0.5)}   p99 ${ack(0.99)}   (from sending to the ack)`),
    row('blocked', `${durationOf(view.blockedMs)} without credit in all${whyWords(tally.why)}`),
    row('reconnects', countOf(tally.reconnects)),
  ];
}

function lineOf(view: FleetView, progress: Progress, rates: Rates): string {
  const { tally } = view;
  const ack = (q: number): string => durationOf(tally.latency.quantile(q));
  return [
    `${secondsOf(progress.elapsedMs)}:`,
    `${presenceOf(view)};`,
    `sent ${tally.framesSent} frames (${Math.round(rates.frames)}/s),`,
    `acked ${tally.framesAcked},`,
    `unacked ${view.inFlight},`,
    `backlog ${sizeOf(view.backlog)},`,
    `credit ${sizeOf(view.credit)},`,
    `ack p50 ${ack(0.5)} p99 ${ack(0.99)},`,
    `reconnects ${tally.reconnects},`,
    `blocked ${durationOf(view.blockedMs)}${whyWords(tally.why)}`,
  ].join(' ');
}
