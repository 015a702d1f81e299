import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const { Access } = await import(new URL('../../../src/dashboard/access.js', import.meta.url).href);

/** What a tab keeps. */
class FakeStorage {
  readonly items = new Map<string, string>();
  getItem = (key: string): string | null => this.items.get(key) ?? null;
  setItem = (key: string, value: string): Map<string, string> => this.items.set(key, value);
}

const fetching = vi.fn();
let storage: FakeStorage;
beforeEach(() => {
  storage = new FakeStorage();
  fetching.mockReset();
  vi.stubGlobal('fetch', fetching);
});
afterEach(() => vi.unstubAllGlobals());

const answer = (status: number, body: object): void => {
  fetching.mockResolvedValue(new Response(JSON.stringify(body), { status }));
};

test('a page without a token shows none', async () => {
  answer(200, { windows: [1000] });
  expect(await new Access(storage).ask()).toEqual({ kind: 'in', api: { windows: [1000] } });
  expect(fetching).toHaveBeenCalledWith('/api', { headers: {} });
});

test('a token is kept for the tab, and shown with every request', async () => {
  new Access(storage).use('abc.def');
  const access = new Access(storage);
  expect(access.token).toBe('abc.def');
  answer(200, {});
  await access.fetch('/api/stats', { cache: 'no-store' });
  expect(fetching).toHaveBeenCalledWith('/api/stats', {
    cache: 'no-store',
    headers: { Authorization: 'Bearer abc.def' },
  });
});

test('without storage it lives as long as the page', () => {
  const access = new Access(undefined);
  expect(access.token).toBeUndefined();
  access.use('abc');
  expect(access.token).toBe('abc');
});

describe('a gateway that does not let the page in', () => {
  test.each([401, 403, 429])('HTTP %d: says why, if a token was shown', async (status) => {
    answer(status, { error: 4003, message: 'the token has expired' });
    const access = new Access(storage);
    expect(await access.ask()).toEqual({ kind: 'refused', why: '' });
    access.use('abc');
    answer(status, { error: 4003, message: 'the token has expired' });
    expect(await access.ask()).toEqual({ kind: 'refused', why: 'the token has expired' });
  });

  test.each(['ключ', 'a b', 'a\nb', '"abc"', ''])(
    '%j is told before it is shown to anybody',
    async (token) => {
      const access = new Access(storage);
      access.use(token);
      answer(401, { message: 'this is no token' });
      const { kind, why } = await access.ask();
      expect([kind, why !== '']).toEqual(['refused', true]);
      if (token !== '') expect(fetching).not.toHaveBeenCalled();
    },
  );

  test.each([404, 500, 502])('HTTP %d is no word on tokens', async (status) => {
    answer(status, {});
    expect(await new Access(storage).ask()).toEqual({ kind: 'silent' });
  });

  test('nor is silence', async () => {
    fetching.mockRejectedValue(new TypeError('Failed to fetch'));
    expect(await new Access(storage).ask()).toEqual({ kind: 'silent' });
  });
});
