import { KafkaLogReader } from '../adapters/log/kafka-log-reader.ts';
import { LogReader } from '../adapters/log/log-reader.ts';
import type { LogSource, ReadOptions } from '../adapters/log/log-source.ts';
import type { Config } from '../config/config.ts';
import { ConfigFaults, type Fault } from '../config/faults.ts';
import { kafkaAccess } from '../config/kafka-access.ts';
import { ResultFilter } from '../consumer/result-filter.ts';
import { didYouMean } from '../model/nearest.ts';
import { parsePattern } from '../model/pattern.ts';
import { LOG, LOG_NAMES } from '../model/record.ts';
import { textOf } from '../wire/utf8.ts';
import { configOf, LOG_OPTIONS } from './config-options.ts';
import { type HelpPage, printHelp } from './help.ts';
import { LineOutput } from './line-output.ts';
import { type Options, parseOptions } from './options.ts';
import { SeriesFilter } from './series-filter.ts';
import type { TailFormat } from './tail-entry.ts';
import { TAIL_JSON } from './tail-json.ts';
import { RecordTail } from './tail-records.ts';
import { TAIL_TEXT } from './tail-text.ts';

const TOPICS = [...LOG_NAMES, 'rejects'] as const;
type Topic = (typeof TOPICS)[number];

/** Exit code when something in the log could not be decoded; the rest was shown. */
const EXIT_UNDECODABLE = 1;

const OPTIONS = {
  topic: {
    kind: 'text',
    shape: TOPICS.join('|'),
    help: 'which log',
    otherwise: 'readings',
  },
  series: {
    kind: 'text',
    shape: 'PATTERN',
    help: 'only series whose topic matches, such as plant1/+/temp or plant1/#',
  },
  follow: { kind: 'flag', help: 'wait at the end for what is still to come, until Ctrl-C' },
  all: { kind: 'flag', help: 'void and duplicate records too, and fences, marks and stubs' },
  json: { kind: 'flag', help: 'one JSON object per line' },
  ...LOG_OPTIONS,
} as const;

const HELP: HelpPage = {
  usage: 'tail [--topic TOPIC] [--series PATTERN] [--follow] [--all] [--json] [--data DIR]',
  summary:
    'Prints what is in the log, from the beginning: a file log in the order of the file, Kafka in\n' +
    'the order of each partition. It takes no lock and joins no group of the gateway, so it may run\n' +
    'beside it.',
  options: OPTIONS,
  sections: [
    [
      'What is shown:',
      'Without --all only frames, each once: what a deposed owner wrote (void) and what was written',
      'twice (duplicate) is left out, and so are fences, marks and stubs. With --series only frames',
      'and results with such series, cut to those series.',
    ],
    [
      'Exit codes:',
      '0   the end was reached, or Ctrl-C, or the reader of the output went away',
      '1   some records could not be decoded (each says so); everything else was printed',
      '78  something on the command line, or a log that cannot be read',
    ],
    [
      'Examples:',
      'tidegate tail --follow',
      "tidegate tail --json --series 'plant1/#' | head",
      'tidegate tail --topic aggregates --json --log file --data /var/lib/tidegate',
      'tidegate tail --kafka-brokers 127.0.0.1:9092 --topic alarms --follow',
    ],
  ],
};

/** What the command line asks for. */
interface Plan {
  readonly config: Config;
  readonly topic: Topic;
  readonly series: SeriesFilter | null;
  readonly isAll: boolean;
  readonly follow: boolean;
  readonly format: TailFormat;
}

/** `tidegate tail`: prints what is in the log. */
export async function tail(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv, OPTIONS);
  if (options.help) return printHelp(HELP);
  const plan = planOf(options);
  const reader = await openSource(plan.config);
  const stop = new AbortController();
  const output = new LineOutput(process.stdout);
  output.onClosed = () => stop.abort();
  process.on('SIGINT', () => stop.abort());
  process.on('SIGTERM', () => stop.abort());
  const reading = { follow: plan.follow, signal: stop.signal };
  try {
    return await show(plan, reader, output, reading);
  } finally {
    output.flush();
    await output.drained();
    await reader.close();
  }
}

function openSource(config: Config): Promise<LogSource> {
  if (config.log !== 'kafka') return LogReader.open(config.data);
  const warn = (sentence: string): boolean => process.stderr.write(`tidegate tail: ${sentence}.\n`);
  return KafkaLogReader.open({ ...kafkaAccess(config), warn });
}

function show(plan: Plan, reader: LogSource, output: LineOutput, reading: ReadOptions) {
  switch (plan.topic) {
    case 'rejects':
      return showRejects(plan, reader, output, reading);
    case 'aggregates':
      return showResults(plan, reader, output, reading);
    case 'readings':
    case 'alarms':
      return showRecords(plan, reader, output, reading);
  }
}

async function showRecords(
  plan: Plan,
  reader: LogSource,
  output: LineOutput,
  reading: ReadOptions,
) {
  const { format, topic } = plan;
  const records = new RecordTail(reader, plan);
  const log = topic === 'alarms' ? LOG.alarms : LOG.readings;
  for await (const record of reader.records({ ...reading, log })) {
    if (record.log !== log) continue;
    const made = records.entry(record);
    const entry = made instanceof Promise ? await made : made;
    if (entry === null) continue;
    output.line(format.record(entry));
    await output.drained();
  }
  output.flush();
  const say = (text: string): boolean => process.stderr.write(`tidegate tail: ${text}.\n`);
  if (records.foreign > 0)
    say(`${records.foreign} records have no header, Tidegate did not write them`);
  if (records.errors === 0) return 0;
  say(`${records.errors} records could not be decoded`);
  return EXIT_UNDECODABLE;
}

async function showResults(
  plan: Plan,
  reader: LogSource,
  output: LineOutput,
  reading: ReadOptions,
) {
  const { isAll, series, format } = plan;
  const copies = new ResultFilter();
  const { aggregates } = LOG;
  let damaged = 0;
  for await (const { log, shard, offset, tg, value } of reader.records({
    ...reading,
    log: aggregates,
  })) {
    if (log !== aggregates) continue;
    const isCopy = copies.isCopy(tg, shard);
    if (isCopy && !isAll) continue;
    const text = textOf(value, 0, value.length);
    if (!isResult(text)) {
      damaged += 1;
      continue;
    }
    const json = series === null ? text : series.result(text);
    if (json !== null) output.line(format.result({ shard, offset, json, isCopy }));
    await output.drained();
  }
  if (damaged === 0) return 0;
  output.flush();
  process.stderr.write(`tidegate tail: ${damaged} records of aggregates are no results.\n`);
  return EXIT_UNDECODABLE;
}

/** Anybody may write to a topic. */
function isResult(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'series' in value;
  } catch {
    return false;
  }
}

async function showRejects(
  plan: Plan,
  reader: LogSource,
  output: LineOutput,
  reading: ReadOptions,
) {
  for await (const letter of reader.deadLetters(reading)) {
    output.line(plan.format.deadLetter(letter));
    await output.drained();
  }
  return 0;
}

function planOf(options: Options<typeof OPTIONS>): Plan {
  const { topic, series, all, follow, json } = options.values;
  const faults = [...options.faults];
  const chosen = topicOf(topic ?? 'readings', faults);
  const pattern = patternOf(series, chosen, faults);
  const config = configOf({ ...options, faults });
  refuseMemory(config);
  return {
    config,
    topic: chosen,
    series: pattern === null ? null : new SeriesFilter(pattern),
    isAll: all,
    follow,
    format: json ? TAIL_JSON : TAIL_TEXT,
  };
}

function topicOf(text: string, faults: Fault[]): Topic {
  const topic = TOPICS.find((name) => name === text);
  if (topic !== undefined) return topic;
  const message = `expected one of ${TOPICS.join(', ')}${didYouMean(text, TOPICS)}`;
  faults.push({ where: `--topic ${JSON.stringify(text)}`, message });
  return 'readings';
}

function patternOf(text: string | undefined, topic: Topic, faults: Fault[]) {
  if (text === undefined) return null;
  const where = `--series ${JSON.stringify(text)}`;
  const pattern = parsePattern(text);
  if (pattern === null) {
    const message = 'expected levels with / between, + for any level, # at the end for any rest';
    faults.push({ where, message });
  } else if (topic === 'rejects') {
    faults.push({ where, message: 'a refused frame has no series: leave --series out' });
  }
  return pattern;
}

function refuseMemory({ log, origins }: Config): void {
  if (log !== 'memory') return;
  const message = 'the memory log lives inside the gateway alone: a file log or Kafka can be read';
  throw new ConfigFaults([{ where: origins.log, message }]);
}
