/**
 * One Ctrl-C may arrive twice: the terminal sends it to every process of the group, and npm and
 * `tidegate demo` pass on the one they get. Units: ms.
 */
const SAME_SIGNAL_MS = 300;

/**
 * Calls `onSignal` for every SIGINT and SIGTERM that somebody meant, with its number from 1.
 * Returns a function that stops listening.
 */
export function obeySignals(onSignal: (count: number, signal: string) => void): () => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  let count = 0;
  const listener = (signal: string): void => {
    const nowMs = performance.now();
    const isSame = nowMs - lastMs < SAME_SIGNAL_MS;
    lastMs = nowMs;
    if (isSame) return;
    count += 1;
    onSignal(count, signal);
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}
