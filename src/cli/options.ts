import { parseArgs } from 'node:util';
import type { Fault } from '../config/faults.ts';
import { didYouMean } from '../model/nearest.ts';

/** One option of a command. */
export interface OptionSpec {
  /** `text` takes one value (the last one given counts), `list` all that follow, `flag` none. */
  readonly kind: 'text' | 'list' | 'flag';
  /** What stands behind the option in the help, such as `HOST:PORT`. */
  readonly shape?: string;
  readonly help: string;
  /** In text, for the help. */
  readonly otherwise?: string;
}

/** The options of a command, by name without `--`. */
export type OptionSpecs = { readonly [name: string]: OptionSpec };

type ValueOf<Spec extends OptionSpec> = Spec['kind'] extends 'flag'
  ? boolean
  : Spec['kind'] extends 'list'
    ? readonly string[]
    : string | undefined;

/** What the command line said. */
export interface Options<Specs extends OptionSpecs> {
  readonly values: { readonly [Name in keyof Specs]: ValueOf<Specs[Name]> };
  /** `--help` or `-h` was given: nothing else matters then. */
  readonly help: boolean;
  /** Unknown options, missing values, words that belong to nothing: all of them. */
  readonly faults: readonly Fault[];
}

type Token = NonNullable<ReturnType<typeof tokensOf>>[number];

/** Looks like an option; a negative number does not. */
const isOption = (word: string): boolean => /^-(?!\d|$)/.test(word);

/** Parses the arguments of a command. Never throws: what is wrong is in `faults`. */
export function parseOptions<const Specs extends OptionSpecs>(
  argv: readonly string[],
  specs: Specs,
): Options<Specs> {
  const reader = new ArgumentReader(specs);
  for (const token of tokensOf(argv, specs)) reader.take(token);
  return {
    values: reader.values as Options<Specs>['values'],
    help: reader.help,
    faults: reader.faults,
  };
}

function tokensOf(argv: readonly string[], specs: OptionSpecs) {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const [name, { kind }] of Object.entries(specs)) {
    options[name] = { type: kind === 'flag' ? 'boolean' : 'string' };
  }
  const args = withoutSwallowing(argv, specs);
  return parseArgs({ args, options, strict: false, tokens: true }).tokens;
}

/** parseArgs takes any word for a value: `--listen --json` would lose `--json`. */
function withoutSwallowing(argv: readonly string[], specs: OptionSpecs): string[] {
  return argv.map((word, i) => {
    const kind = word.startsWith('--') ? specs[word.slice(2)]?.kind : undefined;
    const wantsValue = kind === 'text' || kind === 'list';
    const next = argv[i + 1];
    return wantsValue && (next === undefined || isOption(next)) ? `${word}=` : word;
  });
}

class ArgumentReader {
  readonly values: Record<string, string | boolean | string[] | undefined> = {};
  readonly faults: Fault[] = [];
  help = false;
  readonly #specs: OptionSpecs;
  /** The list option that words without an option belong to. */
  #list: string[] | null = null;

  constructor(specs: OptionSpecs) {
    this.#specs = specs;
    for (const [name, { kind }] of Object.entries(specs)) {
      this.values[name] = kind === 'flag' ? false : kind === 'list' ? [] : undefined;
    }
  }

  take(token: Token): void {
    if (token.kind === 'option') this.#option(token);
    else if (token.kind === 'positional') this.#word(token.value);
  }

  #option(token: Extract<Token, { kind: 'option' }>): void {
    const { name, rawName, value } = token;
    const spec = Object.hasOwn(this.#specs, name) ? this.#specs[name] : undefined;
    this.#list = null;
    if (name === 'help') this.help = true;
    else if (spec === undefined) this.#unknown(rawName);
    else if (spec.kind === 'flag') this.#flag(name, rawName, value);
    else if (value === undefined || value === '') {
      this.#fault(rawName, `needs a value: ${rawName} ${spec.shape ?? 'VALUE'}`);
    } else this.#value(name, spec, value);
  }

  #value(name: string, spec: OptionSpec, value: string): void {
    if (spec.kind === 'text') this.values[name] = value;
    else {
      this.#list = this.values[name] as string[];
      this.#list.push(value);
    }
  }

  #flag(name: string, rawName: string, value: string | undefined): void {
    if (value === undefined) this.values[name] = true;
    else this.#fault(rawName, 'takes no value');
  }

  #word(word: string): void {
    if (this.#list === null) this.#fault(word, 'belongs to no option');
    else this.#list.push(word);
  }

  #unknown(rawName: string): void {
    const names = [...Object.keys(this.#specs), 'help'].map((name) => `--${name}`);
    this.#fault(rawName, `unknown option${didYouMean(rawName, names)}`);
    // What follows is most likely its value: one fault is enough.
    this.#list = [];
  }

  #fault(where: string, message: string): void {
    this.faults.push({ where, message });
  }
}
