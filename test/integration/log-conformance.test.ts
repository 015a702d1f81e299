import { join } from 'node:path';
import { openFileLog } from '../../src/adapters/log/file-log.ts';
import { MemoryLog } from '../../src/adapters/log/memory-log.ts';
import { describeShardLog } from '../support/log-conformance.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describeShardLog({
  kind: 'memory',
  dur: 0,
  survivesClose: false,
  home: () =>
    Promise.resolve({
      open: (shards) => Promise.resolve(new MemoryLog(shards)),
      dispose: () => Promise.resolve(),
    }),
});

describeShardLog({
  kind: 'file',
  dur: 1,
  survivesClose: true,
  home: async () => {
    const { path, remove } = await temporaryDirectory();
    const directory = join(path, 'data');
    const warn = (sentence: string): never => {
      throw new Error(`nothing is wrong here, but: ${sentence}`);
    };
    return {
      open: (shards) => openFileLog({ directory, shards, warn, segmentBytes: 4 * 1024 * 1024 }),
      dispose: remove,
    };
  },
});
