/**
 * What `import … from 'tidegate/consumer'` gives: records of Kafka back into readings and window
 * results. The one place where names are passed on, because it is the contract with other people's
 * code: what is not named here may change in any version.
 */

// biome-ignore-start lint/performance/noBarrelFile: the entry of the package, imported by nothing of ours.
export type { Aggregate, AggregateValue, SeriesResult, WindowResult } from '../model/window.ts';
export {
  type DecodedBlock,
  type DecodedColumn,
  type DecodedReading,
  type PhysicalValues,
  readingsOf,
} from './frame-decoder.ts';
export type { FaultItem, FrameItem, ItemPlace, LogItem, ResultItem } from './log-item.ts';
export { type KafkaMessage, TidegateReader } from './tidegate-reader.ts';
// biome-ignore-end lint/performance/noBarrelFile: as above.
