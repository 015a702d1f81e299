/** So much is collected before it is written: a write per line costs more than making the line. */
const CHUNK_CHARS = 64 * 1024;

/**
 * Lines to a stream, many per write. Nothing waits for long: what is left is written as soon as
 * the event loop has nothing else to do.
 * Bounds: one chunk, and what the stream has not taken (see `drained`).
 */
export class LineOutput {
  /** Called when the reader has gone away: nothing that follows is written. */
  onClosed: () => void = () => undefined;
  readonly #stream: NodeJS.WritableStream;
  #text = '';
  #isScheduled = false;
  #isClosed = false;
  #isFull = false;
  /** Whoever waits for the stream; one writer, so at most one. */
  #waiting: () => void = () => undefined;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    stream.on('error', () => this.#close());
    stream.on('drain', () => this.#goOn());
  }

  /** Adds a line, without its newline. */
  line(text: string): void {
    this.#text += `${text}\n`;
    if (this.#text.length >= CHUNK_CHARS) this.flush();
    else if (!this.#isScheduled) this.#schedule();
  }

  /** Resolves when the stream takes more; undefined if it does so now, the usual case. */
  drained(): Promise<void> | undefined {
    if (!this.#isFull || this.#isClosed) return undefined;
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Writes what is left. */
  flush(): void {
    if (this.#text !== '' && !this.#isClosed) this.#isFull = !this.#stream.write(this.#text);
    this.#text = '';
  }

  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClosed();
    this.#goOn();
  }

  #goOn(): void {
    this.#isFull = false;
    this.#waiting();
  }
}
