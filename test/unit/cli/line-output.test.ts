import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { LineOutput } from '../../../src/cli/line-output.ts';

/** A stream that keeps what it is given, and says that it is full while `isFull`. */
class Sink extends EventEmitter {
  readonly chunks: string[] = [];
  isFull = false;

  write(text: string): boolean {
    this.chunks.push(text);
    return !this.isFull;
  }
}

const outputTo = (sink: Sink): LineOutput =>
  new LineOutput(sink as unknown as NodeJS.WritableStream);

describe('lines to a stream', () => {
  it('are collected, and written together', () => {
    const sink = new Sink();
    const output = outputTo(sink);
    output.line('a');
    output.line('b');
    expect(sink.chunks).toEqual([]);
    output.flush();
    output.flush();
    expect(sink.chunks).toEqual(['a\nb\n']);
  });

  it('are written when they are many, without a flush', () => {
    const sink = new Sink();
    const output = outputTo(sink);
    for (let i = 0; i < 3000; i += 1) output.line('x'.repeat(99));
    expect(sink.chunks.length).toBeGreaterThan(2);
    expect(Math.max(...sink.chunks.map(({ length }) => length))).toBeLessThan(66_000);
  });

  it('wait for a stream that is full, and only then', async () => {
    const sink = new Sink();
    const output = outputTo(sink);
    expect(output.drained()).toBeUndefined();
    sink.isFull = true;
    output.line('a');
    output.flush();
    const drained = output.drained();
    expect(drained).toBeInstanceOf(Promise);
    sink.emit('drain');
    await drained;
    expect(output.drained()).toBeUndefined();
  });

  it('are dropped once the reader has gone, which is told once', async () => {
    const sink = new Sink();
    const output = outputTo(sink);
    let closed = 0;
    output.onClosed = () => {
      closed += 1;
    };
    sink.isFull = true;
    output.line('a');
    output.flush();
    const drained = output.drained();
    sink.emit('error', new Error('EPIPE'));
    sink.emit('error', new Error('EPIPE'));
    await drained;
    output.line('b');
    output.flush();
    expect([closed, sink.chunks]).toEqual([1, ['a\n']]);
    expect(output.drained()).toBeUndefined();
  });

  it('leave no listeners behind, however often they wait', () => {
    const sink = new Sink();
    const output = outputTo(sink);
    sink.isFull = true;
    for (let i = 0; i < 50; i += 1) {
      output.line('a');
      output.flush();
      void output.drained();
      sink.emit('drain');
    }
    expect(sink.listenerCount('drain') + sink.listenerCount('error')).toBe(2);
  });
});
