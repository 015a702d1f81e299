import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../../src/adapters/host/logger.ts';

/** What a logger of this level writes while `use` runs. */
function written(
  level: string,
  isReadable: boolean,
  use: (logger: ReturnType<typeof createLogger>) => void,
): string {
  const to = new PassThrough();
  use(createLogger(level, { isReadable, to }));
  return String(to.read() ?? '');
}

describe('the logger', () => {
  it('writes one JSON object per line', () => {
    const text = written('info', false, (logger) => {
      logger.info({ node: 'gw-1' }, 'ready');
      logger.warn('careful');
    });
    const [first, second, ...rest] = text.split('\n');
    expect(JSON.parse(first ?? '')).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      node: 'gw-1',
      msg: 'ready',
    });
    expect(JSON.parse(second ?? '')).toMatchObject({ level: 40, msg: 'careful' });
    expect(rest).toEqual(['']);
  });

  it('writes lines for humans', () => {
    const text = written('info', true, (logger) => logger.warn('careful'));
    expect(text).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: careful\n$/);
  });

  it.each(['err', 'error'])('shows an error under %s with its message and stack', (key) => {
    const text = written('info', false, (logger) => logger.error({ [key]: new Error('why') }, 'x'));
    const shown = (JSON.parse(text) as Record<string, unknown>)[key];
    expect(shown).toMatchObject({ type: 'Error', message: 'why' });
    expect(shown).toHaveProperty('stack');
  });

  it.each([
    ['warn', 1],
    ['debug', 3],
    ['silent', 0],
  ])('at level %s %d of three lines appear', (level, count) => {
    const text = written(level, false, (logger) => {
      logger.debug('a');
      logger.info('b');
      logger.error('c');
    });
    expect(text.split('\n')).toHaveLength(count + 1);
  });
});
