import { logLevel } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { ClientLog } from '../../../../src/adapters/log/kafka-client-log.ts';

const NOT_LEADER = 'This server is not the leader for that topic-partition';
const NO_COORDINATOR = 'The group coordinator is not available';

/** What is passed on of what kafkajs says, under a clock that the test moves. */
class Ears {
  ms = 0;
  readonly told: string[] = [];
  readonly log = new ClientLog(
    (sentence) => this.told.push(sentence),
    () => this.ms,
  );
  readonly #say = this.log.creator(() => false)(logLevel.WARN);

  hears(error: string, message = 'Response X'): void {
    const log = { message, error, timestamp: '' };
    this.#say({ namespace: 'Connection', label: 'ERROR', level: logLevel.ERROR, log });
  }
}

describe('what kafkajs says', () => {
  it('comes once in half a minute', () => {
    const ears = new Ears();
    for (ears.ms = 0; ears.ms <= 60_000; ears.ms += 1000) ears.hears('Closed connection');
    expect(ears.told).toEqual(Array(3).fill('kafkajs: Response X: Closed connection'));
  });

  it('about leaders is told as long as nobody expects new topics', () => {
    const ears = new Ears();
    ears.hears(NOT_LEADER);
    expect(ears.told).toHaveLength(1);
  });

  it('about leaders and coordinators is not told while topics may be made', () => {
    const ears = new Ears();
    ears.log.expectNewTopics();
    ears.ms = 9999;
    ears.hears(NOT_LEADER);
    ears.hears(NO_COORDINATOR);
    expect(ears.told).toEqual([]);
  });

  it('about anything else is told then too', () => {
    const ears = new Ears();
    ears.log.expectNewTopics();
    ears.hears('Closed connection');
    expect(ears.told).toHaveLength(1);
  });

  it('about leaders is told when it lasts, however often the start is tried again', () => {
    const ears = new Ears();
    for (; ears.ms <= 10_000; ears.ms += 500) {
      ears.log.expectNewTopics();
      ears.hears(NOT_LEADER);
    }
    expect(ears.told).toEqual([`kafkajs: Response X: ${NOT_LEADER}`]);
  });
});
