import type { Config } from '../config/config.ts';
import {
  FRAME_BYTES_MAX,
  FUTURE_MS,
  GONE_MS,
  HEARTBEAT_MS,
  IDLE_MS,
  KEPT_WINDOWS,
  LATENESS_MS,
  WATERMARK_DELAY_MS,
  WINDOWS_MS,
} from '../model/limits.ts';

/** The figures of this deployment, for `GET /api`. Units: ms, bytes. Source: [R11.8-2]. */
export const figures = (config: Config): object => ({
  windows: WINDOWS_MS,
  D: WATERMARK_DELAY_MS,
  lateness: LATENESS_MS,
  idle: IDLE_MS,
  gone: GONE_MS,
  future: FUTURE_MS,
  kept: KEPT_WINDOWS,
  heartbeat: HEARTBEAT_MS,
  mf: FRAME_BYTES_MAX.slice(0, 2),
  shards: config.shards,
  node: config.node,
});
