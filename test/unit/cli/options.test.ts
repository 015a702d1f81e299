import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../src/cli/options.ts';

const SPECS = {
  listen: { kind: 'text', shape: 'HOST:PORT', help: '' },
  replay: { kind: 'list', help: '' },
  json: { kind: 'flag', help: '' },
} as const;

const NONE = { listen: undefined, replay: [], json: false };

describe('arguments', () => {
  it.each<[string, object]>([
    ['', NONE],
    ['--listen a', { ...NONE, listen: 'a' }],
    ['--listen=a', { ...NONE, listen: 'a' }],
    ['--listen a --listen b', { ...NONE, listen: 'b' }],
    ['--listen -5', { ...NONE, listen: '-5' }],
    ['--listen=--json', { ...NONE, listen: '--json' }],
    ['--json', { ...NONE, json: true }],
    ['--replay a b --json', { ...NONE, replay: ['a', 'b'], json: true }],
    ['--replay a --json --replay b', { ...NONE, replay: ['a', 'b'], json: true }],
  ])('%j', (line, values) => {
    const options = parseOptions(words(line), SPECS);
    expect(options).toEqual({ values, help: false, faults: [] });
  });

  it.each(['--help', '-h', '--json -h'])('%j asks for help', (line) => {
    expect(parseOptions(words(line), SPECS).help).toBe(true);
  });
});

describe('faults', () => {
  it.each<[string, string[]]>([
    ['--jsn', ['--jsn: unknown option, did you mean --json?']],
    ['--lisen 127.0.0.1:1', ['--lisen: unknown option, did you mean --listen?']],
    ['--zzz', ['--zzz: unknown option']],
    ['-x', ['-x: unknown option']],
    ['--__proto__ 1', ['--__proto__: unknown option']],
    ['--constructor', ['--constructor: unknown option']],
    ['--listen', ['--listen: needs a value: --listen HOST:PORT']],
    ['--listen=', ['--listen: needs a value: --listen HOST:PORT']],
    ['--listen --json', ['--listen: needs a value: --listen HOST:PORT']],
    ['--replay', ['--replay: needs a value: --replay VALUE']],
    ['--json=1', ['--json: takes no value']],
    ['--no-json', ['--no-json: unknown option']],
    ['word', ['word: belongs to no option']],
    ['--json word', ['word: belongs to no option']],
    ['-- word', ['word: belongs to no option']],
    [
      '--jsn --listen --zzz 1 --json=2',
      [
        '--jsn: unknown option, did you mean --json?',
        '--listen: needs a value: --listen HOST:PORT',
        '--zzz: unknown option',
        '--json: takes no value',
      ],
    ],
  ])('%j', (line, faults) => {
    const found = parseOptions(words(line), SPECS).faults;
    expect(found.map(({ where, message }) => `${where}: ${message}`)).toEqual(faults);
  });

  it('an option is not lost because the one before has no value', () => {
    expect(parseOptions(words('--listen --json'), SPECS).values.json).toBe(true);
  });
});

const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');
