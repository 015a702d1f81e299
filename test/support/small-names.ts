import { decodeCbor } from '../../src/wire/decode.ts';
import type { Flow, Message } from '../../src/wire/messages.ts';
import type { Entry } from '../sim/truth.ts';

/** Names for what is under way and what is in the log, without what only a clock decides. */
export class SmallNames {
  /** In the order in which they were heard of. */
  readonly #epochs: number[] = [];

  /** The number of an epoch, from 1; 0 for none. */
  epoch(epoch: number): number {
    const known = this.#epochs.indexOf(epoch);
    return epoch === 0 ? 0 : (known < 0 ? this.#epochs.push(epoch) - 1 : known) + 1;
  }

  words(messages: readonly Uint8Array[]): unknown[] {
    return messages.map((bytes) => {
      const message = decodeCbor(bytes, 'client');
      return this.#word('message' in message ? message.message : decoded(bytes, 'server'));
    });
  }

  record({ record, header, owner, isValid }: Entry): unknown {
    const { kind, epoch, n, lost, uncertain } = header;
    return [record.log, kind, owner, isValid, this.epoch(epoch), n, lost, uncertain];
  }

  #word(message: Message): unknown {
    if (message.k === 'data') return ['data', message.n, message.lost];
    if (message.k === 'hello' || message.k === 'welcome') {
      return [message.k, this.epoch(message.ep ?? 0), message.ch];
    }
    if (message.k === 'flow') return ['flow', message.f];
    return message.k === 'away' ? ['away', message.e] : message.k;
  }
}

/** A flow of all lanes makes one before it needless; one that only says why does not. */
export function isReplacedBy(bytes: Uint8Array | undefined, flow: Flow): boolean {
  const before = bytes && decoded(bytes, 'server');
  return before?.k === 'flow' && flow.f.length >= before.f.length;
}

/** What a message says; throws if it says nothing. */
export function decoded(bytes: Uint8Array, from: 'client' | 'server'): Message {
  const result = decodeCbor(bytes, from);
  if ('breach' in result)
    throw new Error(`what was sent does not decode: ${result.breach.message}`);
  return result.message;
}
