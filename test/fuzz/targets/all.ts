import { JsonTarget } from './json.ts';
import { MessageTarget } from './message.ts';
import { ReaderTarget } from './reader.ts';
import { CauseTarget, HeaderTarget, MarkTarget, SchemaTarget } from './records.ts';
import { SessionTarget } from './session.ts';
import type { Target } from './target.ts';

/** Every target, new ones: some keep what they read into, to see whether it leaks. */
export const allTargets = (): readonly Target[] => [
  new MessageTarget(),
  new JsonTarget(),
  new SessionTarget(),
  new ReaderTarget(),
  new HeaderTarget(),
  new MarkTarget(),
  new SchemaTarget(),
  new CauseTarget(),
];
