import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, type Kafka, startKafka } from '../support/kafka/kafka.ts';
import { CALM, KafkaProxy } from '../support/kafka/proxy.ts';
import { readTopic, type TopicRecord } from '../support/kafka/read-topic.ts';
import { seeded } from '../support/random.ts';
import { ContentReader } from './content.ts';
import { Faults } from './faults.ts';
import { Fleet, type FleetReport } from './fleet.ts';
import { Gateway } from './gateway.ts';
import { type Outcome, type Plan, spreadOf } from './plan.ts';
import { type Filtered, filtered, headOf } from './record.ts';
import { verdictOf } from './verdict.ts';

/** Between two events, where no faults say how far the run is. Units: ms. */
const PAUSE_MS = [1500, 4500] as const;
/** A killed broker comes back after so long. Units: ms. */
const BROKER_AWAY_MS = [5000, 12_000] as const;
/** A second owner serves devices for so long. Units: ms. */
const SECOND_OWNER_MS = 3000;
/** A gateway whose log was taken over has noticed by then. Units: ms. */
const DEPOSED_MS_MAX = 30_000;
/** A device that was cut off often waits for up to a minute before it tries again. Units: ms. */
const BACK_MS_MAX = 90_000;
const EXIT_DEPOSED = 75;

type Event = 'kill' | 'take over' | 'kill broker';

/** One run on Kafka: what is running, and what became of it. */
export class KafkaRun {
  readonly #plan: Plan;
  readonly #random: () => number;
  readonly #directory = mkdtempSync(join(tmpdir(), 'tidegate-torture-'));
  readonly #prefix = `torture-${randomBytes(6).toString('hex')}`;
  readonly #problems: string[] = [];
  readonly #gateways: Gateway[] = [];
  /** Everything that the fleets wrote down: those of second owners, and the one of the whole run. */
  readonly #journals: string[] = [];
  #kafka: Kafka | null = null;
  #takeovers = 0;
  #isGood = false;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#random = seeded(plan.seed);
  }

  async run(): Promise<Outcome> {
    const { bootstrap, brokers, say } = this.#plan;
    let proxy: KafkaProxy | null = null;
    try {
      if (bootstrap.length === 0) this.#kafka = await startKafka({ brokers });
      proxy = await KafkaProxy.open(this.#bootstrap);
      return await this.#torture(proxy);
    } catch (error) {
      for (const gateway of this.#gateways) say(gateway.lastWords);
      throw error;
    } finally {
      for (const gateway of this.#gateways) await gateway.end('SIGKILL').catch(() => undefined);
      await proxy?.close();
      await this.#kafka?.stop();
      if (this.#isGood && !this.#plan.isKept)
        rmSync(this.#directory, { recursive: true, force: true });
      else say(`journals, logs and records are kept in ${this.#directory}`);
    }
  }

  get #bootstrap(): readonly string[] {
    return this.#kafka?.bootstrap ?? this.#plan.bootstrap;
  }

  async #torture(proxy: KafkaProxy): Promise<Outcome> {
    const { faults: total, seed, say } = this.#plan;
    const begun = performance.now();
    const gateway = await this.#gateway(proxy, 'a');
    await gateway.start();
    const faults = new Faults(proxy, { random: seeded(seed + 1), prefix: this.#prefix, total });
    proxy.rules = faults;
    const fleets = (['cbor', 'json'] as const).map(
      (codec, i) => new Fleet(this.#fleetOf(gateway.url, codec, i === 0 ? 0.8 : 0.2)),
    );
    const [, kills] = await Promise.all([
      this.#reported(faults.until(total)),
      this.#events(proxy, { gateway, faults }),
    ]);
    await sleep(Math.max(0, this.#plan.seconds * 1000 - (performance.now() - begun)));
    say(`${faults.struck} faults have struck; the devices come to an end`);
    faults.calm();
    proxy.isDown = false;
    await this.#reported(gateway.hasSessions(this.#devices(0.8) + this.#devices(0.2), BACK_MS_MAX));
    const reports = await Promise.all(fleets.map((fleet) => fleet.finish()));
    await gateway.end('SIGTERM');
    proxy.rules = CALM;
    await proxy.settled();
    for (const fleet of fleets) this.#journals.push(fleet.journal);
    this.#checkReports(reports);
    return await this.#outcome(faults, kills, (performance.now() - begun) / 1000);
  }

  async #gateway(proxy: KafkaProxy, name: string): Promise<Gateway> {
    const { root, shards } = this.#plan;
    const log = ['--log', 'kafka', '--kafka-brokers', proxy.brokers.join()];
    const gateway = new Gateway({
      root,
      // Not one of the system's own: a device that dials a dead port there may reach itself.
      port: await freePort(),
      args: [...log, '--kafka-prefix', this.#prefix, '--shards', `${shards}`],
      onProblem: (sentence) => this.#problem(`${name}: ${sentence}`),
    });
    this.#gateways.push(gateway);
    return gateway;
  }

  /** How many devices a share of them is. */
  #devices(share: number): number {
    return Math.max(1, Math.round(this.#plan.devices * share));
  }

  #fleetOf(url: string, codec: 'cbor' | 'json', share: number) {
    const { rate, seed } = this.#plan;
    const journal = join(this.#directory, `${randomBytes(6).toString('hex')}.ndjson`);
    return { url, journal, devices: this.#devices(share), rate, codec, prefix: codec, seed };
  }

  /** Kills and takeovers, spread over the faults. Returns how often the gateway was killed. */
  async #events(
    proxy: KafkaProxy,
    { gateway, faults }: { gateway: Gateway; faults: Faults },
  ): Promise<number> {
    const { kills, takeovers, brokerKills, say, faults: total } = this.#plan;
    const events: Event[] = [
      ...Array<Event>(kills).fill('kill'),
      ...Array<Event>(takeovers).fill('take over'),
      ...Array<Event>(brokerKills).fill('kill broker'),
    ];
    for (let i = events.length - 1; i > 0; i -= 1) {
      const j = Math.floor(this.#random() * (i + 1));
      [events[i], events[j]] = [events[j] as Event, events[i] as Event];
    }
    for (const [i, event] of events.entries()) {
      await faults
        .until(Math.round((total * (i + 1)) / (events.length + 1)))
        .catch(() => undefined);
      await sleep(this.#between(PAUSE_MS));
      say(`${event} (${faults.struck} faults so far)`);
      if (event === 'kill') await this.#reported(this.#kill(gateway));
      else if (event === 'kill broker') await this.#reported(this.#killBroker());
      else await this.#reported(this.#takeOver(proxy, gateway));
    }
    return kills;
  }

  async #kill(gateway: Gateway): Promise<void> {
    await gateway.end('SIGKILL');
    await gateway.start();
  }

  async #killBroker(): Promise<void> {
    const kafka = this.#kafka;
    if (!kafka) throw new Error('the brokers are not ours to kill');
    const broker = kafka.broker(1 + Math.floor(this.#random() * kafka.brokers.length));
    await broker.kill();
    await sleep(this.#between(BROKER_AWAY_MS));
    await broker.start();
  }

  /**
   * A second gateway starts on the same topics while the first one serves, and devices of the same
   * names connect to it: as if a network had parted. Then the first one comes back and takes the
   * log over again. Each of them has to notice that it lost the log, and to end.
   */
  async #takeOver(proxy: KafkaProxy, first: Gateway): Promise<void> {
    this.#takeovers += 1;
    const second = await this.#gateway(proxy, `second owner ${this.#takeovers}`);
    const firstEnds = first.expectEnd(DEPOSED_MS_MAX);
    await second.start();
    const fleet = new Fleet(this.#fleetOf(second.url, 'cbor', 0.8));
    await this.#deposed(first, 'the first owner', firstEnds);
    await sleep(SECOND_OWNER_MS);
    const secondEnds = second.expectEnd(DEPOSED_MS_MAX);
    await first.start();
    await this.#deposed(second, 'the second owner', secondEnds);
    await fleet.abandon();
    this.#journals.push(fleet.journal);
  }

  async #deposed(
    gateway: Gateway,
    name: string,
    ends: ReturnType<Gateway['expectEnd']>,
  ): Promise<void> {
    const ended = await ends;
    if (ended === null) {
      this.#problem(`${name} did not notice that the log was taken over`);
      await gateway.end('SIGKILL');
    } else if (ended.code !== EXIT_DEPOSED) {
      this.#problem(`${name} ended with ${ended.code ?? ended.signal}, not with ${EXIT_DEPOSED}`);
    }
  }

  #checkReports(reports: readonly FleetReport[]): void {
    for (const { unacked, framesLost, framesRejected } of reports) {
      if (unacked > 0) this.#problem(`${unacked} frames were not acknowledged in the end`);
      if (framesLost > 0) this.#problem(`${framesLost} frames were dropped by their devices`);
      if (framesRejected > 0) this.#problem(`${framesRejected} frames were rejected`);
    }
  }

  async #outcome(faults: Faults, kills: number, seconds: number): Promise<Outcome> {
    const topic = (name: string) => readTopic(this.#bootstrap, `${this.#prefix}.${name}`);
    const contents = new ContentReader(await topic('schemas'));
    const records = [...(await topic('readings')), ...(await topic('alarms'))];
    const read = filtered(records);
    const { frames } = read;
    const contentOf = contents.read.bind(contents);
    const { acked, missing, wrong } = verdictOf(this.#journals, { frames, contentOf });
    this.#isGood = missing.length + wrong.length + this.#problems.length === 0;
    if (!this.#isGood || this.#plan.isKept) this.#keep(records);
    return {
      kills,
      acked,
      missing,
      wrong,
      problems: this.#problems,
      figures: [
        ['seconds', Math.round(seconds)],
        ['faults', faults.struck],
        ...[...faults.counts].map(([name, count]) => [`  ${name}`, count] as const),
        ['faults on the first write of a connection', faults.onFirstWrites],
        ['takeovers by a second gateway', this.#takeovers],
        ['records', records.length],
        ...this.#readFigures(read),
        ...this.#storyFigures(),
      ],
    };
  }

  /** What somebody needs who looks for the reason. */
  #keep(records: readonly TopicRecord[]): void {
    const lines = records.map(({ topic, partition, offset, key, headers }) =>
      JSON.stringify({
        topic,
        partition,
        offset,
        key: `${key}`,
        ...headOf(headers['tg'] as Buffer),
      }),
    );
    writeFileSync(join(this.#directory, 'records.ndjson'), lines.join('\n'));
    for (const [i, gateway] of this.#gateways.entries()) {
      writeFileSync(join(this.#directory, `gateway-${i}.log`), gateway.logs);
    }
  }

  #readFigures({ frames, voids, duplicates, fences }: Filtered): Outcome['figures'] {
    return [
      ['frames that readers get', frames.length],
      ['void records', voids],
      ['duplicate records', duplicates],
      ['fences that count', fences],
    ];
  }

  #storyFigures(): Outcome['figures'] {
    const stories = this.#gateways.map(({ story }) => story);
    const reasons = new Map<string, number>();
    for (const [reason, count] of stories.flatMap((story) => [...story.reasons])) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
    }
    return [
      ['recoveries of the log', spreadOf(stories.flatMap(({ recoveriesMs }) => recoveriesMs))],
      ['starts until ready', spreadOf(stories.flatMap(({ startsMs }) => startsMs))],
      ...[...reasons].map(([reason, count]) => [`  ${reason}`, count] as const),
    ];
  }

  #problem(sentence: string): void {
    this.#problems.push(sentence);
    this.#plan.say(`PROBLEM: ${sentence}`);
  }

  /** What fails is a problem; the run goes on. */
  async #reported(step: Promise<void>): Promise<void> {
    await step.catch((error: unknown) => this.#problem(String(error)));
  }

  #between([least, most]: readonly [number, number]): number {
    return least + this.#random() * (most - least);
  }
}
