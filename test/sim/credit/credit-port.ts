import type { LaneNumber } from './measures.ts';

/** What the credit has to know of a channel when its lane is granted. */
export interface Opening {
  readonly session: number;
  readonly lane: LaneNumber;
  /** Cost that earlier connections left in the pipeline. */
  readonly carry: number;
  readonly pipe: number;
  /** Of the device, for lanes 1 and 2. */
  readonly quota: { readonly bytesPerSecond: number; readonly burst: number } | undefined;
  readonly weight: number;
}

/** A handle of the credit's own. */
export type Row = number;

/** What a gateway tells the credit, in the order of CREDIT §3. Bytes are bytes of cost. */
export interface Credit {
  open(opening: Opening): Row;
  close(row: Row): void;
  frame(row: Row, cost: number, backlog: number | undefined): void;
  settled(row: Row, cost: number, isDuplicate: boolean): void;
  orphanSettled(pipe: number, lane: LaneNumber, successor: Row | undefined, cost: number): void;
  appended(pipe: number, isLane0: boolean, bytes: number, tookMs: number): void;
  backlog(row: Row, bytes: number): void;
  pong(rows: readonly Row[], ms: number): void;
  late(pipe: number, ms: number): void;
  /** After the inputs of one moment: gives out what there is. */
  serve(): void;
  /** The largest batch that is wanted now. Units: bytes; Infinity: any. */
  batchBytesMax(pipe: number): number;
  /** How long the longest queue is wanted to be now. Units: ms. */
  readonly targetMs: number;
}

/** What the credit is made of. */
export interface CreditOptions {
  readonly nowMs: () => number;
  readonly budgetBytes: number;
  /** How many sessions have their reserve; undefined: as by default. */
  readonly sessions: number | undefined;
  readonly pipes: number;
  readonly raised: (row: Row, limit: number) => void;
}
