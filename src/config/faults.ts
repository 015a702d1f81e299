/** One thing wrong with the configuration, and where it came from. */
export interface Fault {
  /** A flag (`--listen`), a variable (`TIDEGATE_LISTEN`) or a place in a file (`tidegate.yaml:3 listen.address`). */
  readonly where: string;
  /** A sentence for humans. Guarantee: holds no value of the `auth` section. */
  readonly message: string;
}

/**
 * The configuration cannot be used. Carries every fault at once, so that nobody has to fix them
 * one start at a time. Exit code 78. Source: INTERFACE, Configuration.
 */
export class ConfigFaults extends Error {
  override readonly name = 'ConfigFaults';
  readonly exitCode = 78;
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(({ where, message }) => `${where}: ${message}`).join('\n'));
    this.faults = faults;
  }
}
