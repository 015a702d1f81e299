import { pageOf } from '../support/doc-code.ts';

/** What PROTOCOL.md says, read from the page itself: nothing here comes from src. */

const PAGE = pageOf('docs/PROTOCOL.md');
const TABLE_ROW = /^\| (\d+) \| `(\w+)` \|/gm;

/** The ids of all rules, in the order of the page. */
export const PAGE_IDS: readonly string[] = [...PAGE.matchAll(/\[(R[\dA-Z.]+-\d+)\]/g)].map(
  ([, id]) => id as string,
);

const section = (from: string, to: string): string =>
  PAGE.slice(PAGE.indexOf(from), PAGE.indexOf(to));

const tableOf = (text: string): ReadonlyMap<string, number> =>
  new Map(
    [...text.matchAll(TABLE_ROW)].map(([, number, name]) => [name as string, Number(number)]),
  );

const KEYS_PART = section('### 3.4 Keys', '## 4. Session');
const BLOCK_PART = KEYS_PART.indexOf('Block keys:');

/** Kinds of message by name, §1. */
export const KINDS = tableOf(section('Eleven messages:', '## 2. Connecting'));
/** Keys of messages by name, §3.4. */
export const MESSAGE_KEYS = tableOf(KEYS_PART.slice(0, BLOCK_PART));
/** Keys of blocks by name, §3.4. */
export const BLOCK_KEYS = tableOf(KEYS_PART.slice(BLOCK_PART));

const reversed = (table: ReadonlyMap<string, number>): ReadonlyMap<number, string> =>
  new Map([...table].map(([name, number]) => [number, name]));

/** Names by kind, by message key and by block key. */
export const KIND_NAMES = reversed(KINDS);
export const MESSAGE_NAMES = reversed(MESSAGE_KEYS);
export const BLOCK_NAMES = reversed(BLOCK_KEYS);
