import { describe, expect, it } from 'vitest';
import type { LogFile } from '../../src/adapters/log/files.ts';
import { GroupWrite } from '../../src/adapters/log/group-write.ts';

/** A file whose writes take as much as the script says, and that notes what is asked of it. */
function scripted(takes: (number | Error)[]) {
  const asked: string[] = [];
  const file: Pick<LogFile, 'write'> = {
    write: (bytes, position) => {
      const what = bytes.every((byte) => byte === 0) ? 'zeros' : 'group';
      asked.push(`${what} ${position}–${position + bytes.length}`);
      const taken = takes.shift() ?? bytes.length;
      return taken instanceof Error ? Promise.reject(taken) : Promise.resolve(taken);
    },
  };
  return { asked, file: file as LogFile };
}

const group = new Uint8Array(2000).fill(7);
const writeOf = (file: LogFile) => new GroupWrite(group, { file, path: 'x.seg', position: 100 });
const full = () => Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
const failed = () => Object.assign(new Error('EIO'), { code: 'EIO' });

describe('the write of a group', () => {
  it('is one call', async () => {
    const { asked, file } = scripted([]);
    await writeOf(file).attempt();
    expect(asked).toEqual(['group 100–2100']);
  });

  it('takes back a part of a sector before it goes on there', async () => {
    const { asked, file } = scripted([700]);
    await writeOf(file).attempt();
    expect(asked).toEqual(['group 100–2100', 'zeros 512–800', 'group 512–2100']);
  });

  it('goes on at once after whole sectors', async () => {
    const { asked, file } = scripted([924]);
    await writeOf(file).attempt();
    expect(asked).toEqual(['group 100–2100', 'group 1024–2100']);
  });

  it('goes on where it was after the disk was full', async () => {
    const { asked, file } = scripted([700, full(), 288, full()]);
    const write = writeOf(file);
    await expect(write.attempt()).rejects.toThrow('ENOSPC');
    await expect(write.attempt()).rejects.toThrow('ENOSPC');
    await write.attempt();
    const rest = ['zeros 512–800', 'group 512–2100', 'group 512–2100'];
    expect(asked).toEqual(['group 100–2100', 'zeros 512–800', ...rest]);
  });

  it.each([0, 300])('takes %d bytes of a sector for a full disk', async (taken) => {
    const { asked, file } = scripted([taken]);
    const write = writeOf(file);
    await expect(write.attempt()).rejects.toMatchObject({ code: 'ENOSPC' });
    await write.attempt();
    const takenBack = taken === 0 ? [] : ['zeros 100–400'];
    expect(asked).toEqual(['group 100–2100', ...takenBack, 'group 100–2100']);
  });

  it.each([
    ['of the group', [failed()]],
    ['of what is taken back', [700, failed()]],
  ])('names the file when a write %s fails', async (_, takes) => {
    const { file } = scripted(takes);
    await expect(writeOf(file).attempt()).rejects.toThrow('a write to x.seg failed (EIO)');
  });

  it('makes a refused write again whole, for nobody knows what of it is on the disk', async () => {
    const { asked, file } = scripted([924, full()]);
    const write = writeOf(file);
    await expect(write.attempt()).rejects.toThrow('ENOSPC');
    await write.attempt();
    expect(asked).toEqual(['group 100–2100', 'group 1024–2100', 'group 1024–2100']);
  });
});
