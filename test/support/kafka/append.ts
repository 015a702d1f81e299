import { RecordBatch } from '../../../src/model/batch.ts';
import { LOG_NAMES } from '../../../src/model/record.ts';
import type { Append } from '../tail-log.ts';
import { openLog } from './open-log.ts';

/** Appends to the topics of a prefix, as a gateway would, and lets them go. */
export async function appendToKafka(prefix: string, shards: number, append: Append): Promise<void> {
  const { log } = openLog({ prefix, shards });
  const { schemas = [], deadLetters = [], records = [] } = append;
  for (const kind of LOG_NAMES.keys()) {
    const batch = new RecordBatch();
    if (kind === 0) {
      batch.schemas.push(...schemas);
      batch.deadLetters.push(...deadLetters);
    }
    for (const record of records) {
      if (record.log !== kind) continue;
      batch.add(record.log, record.shard, record.key, record.tg, record.value);
    }
    if (batch.rows > 0) await log.append(batch);
  }
  await log.close();
}
