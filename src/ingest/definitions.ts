import { type Breach, breach } from '../model/errors.ts';
import { CONTROL_BYTES_MAX, SETS_MAX } from '../model/limits.ts';
import type { Schema } from '../model/reading.ts';
import type { Def } from '../wire/messages.ts';
import { type Sha256, schemaOf } from '../wire/schema.ts';
import type { Session } from './session.ts';

/** What `define` needs besides the message. */
export interface DefineContext {
  /** Payload length of the message. Units: bytes. */
  readonly length: number;
  readonly sha256: Sha256;
  readonly knownSchema: (hash: Uint8Array) => Schema | undefined;
  /** One more definition that this deployment has never seen is allowed to the device. [R14-17] */
  readonly mayBeNew: () => boolean;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);

/** Takes a `def` of a publisher, or says what is wrong with it. Source: PROTOCOL §5.1, §14. */
export function define(session: Session, def: Def, context: DefineContext): Breach | null {
  const { device } = session;
  if (context.length > CONTROL_BYTES_MAX) {
    return breach(4009, `a def has at most ${CONTROL_BYTES_MAX} bytes`);
  }
  if (!device || !session.channels[def.c]) return breach(4001, `lane ${def.c} is not granted`);
  const made = schemaOf(def, device.path, context.sha256);
  if ('breach' in made) return made.breach;
  const set = def.s as number;
  const before = session.sets.get(set);
  if (before) {
    const isRepeated = before.lane === def.c && isSame(before.schema.hash, made.schema.hash);
    return isRepeated ? null : breach(4001, `set ${set} is defined otherwise already`);
  }
  if (session.sets.size >= SETS_MAX) return breach(4009, `more than ${SETS_MAX} sets`);
  const known = context.knownSchema(made.schema.hash);
  if (!known && !context.mayBeNew()) {
    return breach(4101, 'too many definitions that this deployment has never seen');
  }
  session.sets.set(set, { lane: def.c, schema: known ?? made.schema });
  return null;
}
