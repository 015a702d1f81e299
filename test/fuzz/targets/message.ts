import { peekHead } from '../../../src/wire/cbor-head.ts';
import { type Decoded, decodeCbor } from '../../../src/wire/decode.ts';
import { encode } from '../../../src/wire/encode.ts';
import type { Sender } from '../../../src/wire/fields.ts';
import type { Message } from '../../../src/wire/messages.ts';
import type { Dice } from '../../sim/random.ts';
import { referenceDecode } from '../../support/cbor-reference.ts';
import { clockMs } from '../cpu-clock.ts';
import { message } from '../grow/messages.ts';
import { mutateCbor } from '../grow/mutate-cbor.ts';
import { type Node, parseTree, writeTree } from '../grow/tree.ts';
import { claimCborX } from '../oracle/cbor-x.ts';
import { claimJson, isExact } from '../oracle/codecs.ts';
import { brief, claim } from '../oracle/finding.ts';
import { FrameProbe } from '../oracle/frame-probe.ts';
import { headReference } from '../oracle/head-reference.ts';
import { same } from '../oracle/same.ts';
import { faultsOf } from '../oracle/verdict.ts';
import type { Attempt, Target } from './target.ts';

const HEADLESS = { k: 0, c: 0, n: 0, lost: 0 };
const SENDERS: readonly Sender[] = ['client', 'server'];

/** A CBOR message: decoder, encoder, frame reader and router against each other and the oracles. */
export class MessageTarget implements Target {
  readonly name = 'message';
  readonly share = 630;
  readonly #probe = new FrameProbe();

  make(dice: Dice): Uint8Array {
    return writeTree([message(dice, dice.chance(0.75) ? 'client' : 'server')]);
  }

  mutate(dice: Dice, bytes: Uint8Array, donor: Uint8Array): Uint8Array {
    return mutateCbor(dice, bytes, donor);
  }

  attempt(bytes: Uint8Array): Attempt {
    const lent = bytes.slice();
    const begun = clockMs();
    const decoded = SENDERS.map((from) => decodeCbor(lent, from));
    const frame = this.#probe.read(lent);
    const ms = clockMs() - begun;
    lent.fill(0xa5);
    const tree = referenceDecode(bytes, 1) === null ? null : (parseTree(bytes)[0] as Node);
    const [client, server] = decoded as [Decoded, Decoded];
    claimVerdict(client, tree, 'client');
    claimVerdict(server, tree, 'server');
    claimHead(bytes, decoded);
    for (const [i, result] of decoded.entries()) {
      if ('message' in result) claimMessage(bytes, result.message, SENDERS[i] as Sender);
    }
    this.#probe.claim(bytes, client);
    return { ms: [ms], sign: `${signOf(client)} ${signOf(server)} ${frame}` };
  }
}

const signOf = (decoded: Decoded): string =>
  'breach' in decoded ? decoded.breach.message : decoded.message.k;

/** Accepted exactly if the reference and App. A accept; refused with the code of a fault it has. */
function claimVerdict(decoded: Decoded, tree: Node | null, from: Sender): void {
  const faults = tree === null ? null : faultsOf(tree, from);
  if ('message' in decoded) {
    claim(faults !== null, `from ${from}: accepted, and is no CBOR of the profile`);
    claim(faults.size === 0, () => `from ${from}: accepted with faults ${[...faults]}`);
    return;
  }
  const { code, message: sentence } = decoded.breach;
  const allowed = faults ?? new Set([4000, 4001, 4005]);
  claim(allowed.has(code), () => `from ${from}: ${code} (${sentence}), faults: ${[...allowed]}`);
}

/** What the router reads is what stands there, and what it refuses the decoder refuses. */
function claimHead(bytes: Uint8Array, decoded: readonly Decoded[]): void {
  const seen = { k: 0, c: 0, n: 0, lost: 0 };
  const isHead = peekHead(bytes, seen);
  const { isGood, head } = headReference(parseTree(bytes)[0]);
  const isRight = isHead === isGood && same(seen, { ...HEADLESS, ...head });
  claim(isRight, () => `the router reads ${isHead} ${brief(seen)}, not ${isGood} ${brief(head)}`);
  const isAccepted = decoded.some((result) => 'message' in result);
  claim(isHead || !isAccepted, 'the router refuses a good message');
}

function claimMessage(bytes: Uint8Array, decoded: Message, from: Sender): void {
  const again = decodeCbor(bytes, from);
  claim(
    'message' in again && same(again.message, decoded),
    () => `what was decoded shares memory with the bytes, or depends on what came before`,
  );
  claimCborX(bytes, decoded, from);
  if (!isExact(decoded, from)) return;
  const encoded = decodeCbor(encode('cbor', decoded), from);
  claim(
    'message' in encoded && same(encoded.message, decoded),
    () => `from ${from}: encoded and decoded it is ${brief(encoded)}, not ${brief(decoded)}`,
  );
  claimJson(decoded, from);
}
