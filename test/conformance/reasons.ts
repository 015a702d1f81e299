/** Why an id has no row, by the reason: a sentence for the reader, then the ids. */

/** What a later part of the product brings; these reasons come to zero with it. */
const WITH_AGGREGATES =
  'with aggregates: longer windows, more aggregates, raw values, events, groups, history';
const WITH_NODES = 'operations: several nodes, among which shards move';
const WITH_TLS = 'operations: TLS, which a proxy in front ends until then';
const WITH_REVOCATION = 'operations: revocation of credentials before they expire';
const WITH_PROXIES = 'operations: addresses from a trusted proxy';
const WITH_SCOPES =
  'operations: publish scopes by series; a token publishes below its path, or not at all';
/** What no implementation of this repository can show. */
const PAGE = 'page: binds later revisions of the protocol, not an implementation of this one';

/** Reasons with the ids that have them. */
export const REASONS: Readonly<Record<string, readonly string[]>> = {
  [WITH_AGGREGATES]: [
    'R9.2-5',
    'R9.4-1',
    'R9.4-2',
    'R9.4-11',
    'R9.4-13',
    'R9.4-15',
    'R11.1-3',
    'R11.2-9',
    'R11.2-13',
    'R11.6-1',
    'R11.6-2',
    'R11.6-3',
    'R11.6-4',
    'R11.7-1',
    'R11.7-2',
    'R11.7-3',
    'R11.7-4',
    'R11.7-5',
    'R11.8-3',
    'R11.8-4',
    'R11.8-5',
    'R11.8-6',
  ],
  [WITH_NODES]: ['R10.2-1', 'R10.2-5', 'R10.2-6', 'R11.4-9', 'R13-23'],
  [WITH_TLS]: ['R2.1-4'],
  [WITH_REVOCATION]: ['R2.1-16'],
  [WITH_PROXIES]: ['R15-2'],
  [WITH_SCOPES]: ['R5.1-10', 'R13-29'],
  [PAGE]: ['R12-2', 'R12-4'],
};

/** Rules of which a row shows all but a part, and what that is. */
export const PARTS: Readonly<Record<string, string>> = {
  'R2.1-8': 'TLS client certificates',
  'R4.1-9': '4200 with `to`, which needs a second node',
  'R5.2-12': '4023, which needs publish scopes by series',
  'R9.1-4': 'limits on windows',
  'R9.1-5': 'the figures of what is computed today',
  'R9.3-1': "the device's status (§11.8)",
  'R9.4-8': 'text among other aggregates than n, first, last',
  'R9.4-9': 'M2 and percentiles',
  'R9.4-10': 'the merge of results',
  'R9.4-12': 'the merge of results',
  'R9.4-14': 'the merge of results',
  'R10.1-9': 'the readiness check, which test/integration/cli-commands.test.ts sees fail first',
  'R11.1-2': 'the withdrawal of a permission while a subscription is open',
  'R11.8-1': 'the paths that are not served yet',
  'R11.8-2': 'the figures of what is computed today',
};
