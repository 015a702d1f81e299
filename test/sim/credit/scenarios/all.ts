import type { Scenario } from '../scenario.ts';
import { LOAD_SCENARIOS } from './load.ts';
import { LOG_SCENARIOS } from './log.ts';
import { MEMORY_SCENARIOS } from './memory.ts';
import { PEER_SCENARIOS } from './peers.ts';

/** Every scenario of CREDIT §10, by its name there. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  ...LOAD_SCENARIOS,
  ...LOG_SCENARIOS,
  ...MEMORY_SCENARIOS,
  ...PEER_SCENARIOS,
};
