import { RECORD } from '../../src/model/record.ts';
import type { ClientMessage, ServerMessage } from '../../src/wire/messages.ts';
import type { Fact } from './facts.ts';

/** A message in a few words. */
function wordsOf(message: ClientMessage | ServerMessage): string {
  switch (message.k) {
    case 'hello':
      return `hello ep ${message.ep ?? '-'} ch ${JSON.stringify(message.ch ?? [])}`;
    case 'welcome':
      return `welcome ep ${message.ep} f ${JSON.stringify(message.f)} why ${message.why ?? 0}`;
    case 'flow':
      return `flow ${JSON.stringify(message.f)} why ${message.why ?? '-'}`;
    case 'away':
    case 'reject':
      return `${message.k} ${message.e} ${message.c ?? ''}:${message.n ?? ''} ${message.m ?? ''}`;
    case 'state':
      return `state ${message.st}`;
    case 'data':
      return `data ${message.n}`;
    case 'ping':
      return `ping bl ${JSON.stringify(message.bl ?? [])}`;
    default:
      return message.k;
  }
}

/** One line for a fact that concerns this party, or a gateway; null for any other. */
export function lineOf(fact: Fact, party: string | null): string | null {
  switch (fact.kind) {
    case 'owned':
      return `${fact.node.name} owns the log`;
    case 'gone':
      return `${fact.node.name} is gone: ${fact.why}`;
    case 'calm':
    case 'end':
      return fact.kind;
    case 'marked':
      if (fact.entry.device !== party) return null;
      return `${fact.node.name} marks class ${fact.entry.class} at ${fact.entry.watermark}`;
    case 'stepped':
    case 'reached':
      return null;
    case 'landed': {
      const { entry } = fact;
      if (entry.device !== '' && entry.device !== party) return null;
      const { kind, lane, epoch, n, lost, uncertain, gen } = entry.header;
      const flags = `${entry.isValid ? '' : ' VOID'}${uncertain ? ' uncertain' : ''}`;
      const place = `${entry.record.log}/${entry.record.shard}@${entry.record.offset}`;
      const by = `of ${entry.owner.slice(0, 4)} gen ${gen}`;
      if (kind === RECORD.fence) {
        return `landed ${place} fence ${by} ${new TextDecoder().decode(entry.record.value)}${flags}`;
      }
      return `landed ${place} kind ${kind} ${by} lane ${lane} ${epoch}:${n} lost ${lost}${flags}`;
    }
    case 'freed':
    case 'refused':
    case 'dropped':
      if (fact.device !== party) return null;
      return `device ${fact.kind} lane ${fact.lane} ${fact.epoch}:${fact.n} = ${fact.content}`;
    case 'stopped':
      return fact.device === party ? `device stopped: ${fact.ending.code}` : null;
    default:
      return fact.link.party === party ? lineOfLink(fact) : null;
  }
}

type LinkFact = Exclude<Extract<Fact, { readonly link: unknown }>, { readonly kind: 'reached' }>;

function lineOfLink(fact: LinkFact): string {
  const on = `[${fact.link.session}]`;
  switch (fact.kind) {
    case 'said':
    case 'arrived':
    case 'told':
    case 'heard':
      return `${on} ${fact.kind} ${wordsOf(fact.message)}`;
    case 'sent': {
      const { lane, epoch, n, lost, bytes, content } = fact.frame;
      return `${on} sent lane ${lane} ${epoch}:${n} lost ${lost} ${bytes} B = ${content}`;
    }
    case 'judged':
      return `${on} ${fact.fate} lane ${fact.lane} n ${fact.n} lost ${fact.lost} ${fact.bytes} B`;
    case 'closed':
      return `${on} closed by the gateway: ${fact.code}`;
  }
}

/** Keeps the last lines of a party, or prints all of them. */
export class Trace {
  readonly #party: string | null;
  readonly #keep: number;
  readonly #lines: string[] = [];

  constructor(party: string | null, keep: number) {
    this.#party = party;
    this.#keep = keep;
  }

  see(fact: Fact, ms: number): void {
    const line = lineOf(fact, this.#party);
    if (line === null) return;
    this.#lines.push(`${(ms / 1000).toFixed(3).padStart(9)} s  ${line}`);
    if (this.#lines.length > 2 * this.#keep) this.#lines.splice(0, this.#keep);
  }

  get lines(): readonly string[] {
    return this.#lines.slice(Math.max(0, this.#lines.length - this.#keep));
  }
}
