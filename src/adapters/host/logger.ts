import {
  type DestinationStream,
  type Logger as PinoLogger,
  pino,
  stdSerializers,
  stdTimeFunctions,
} from 'pino';
import { build } from 'pino-pretty';

/** Structured log of this process. Never per frame, never with payload bytes: DESIGN §12, §13. */
export type Logger = PinoLogger;

/** How readable the log is. */
export interface LoggerOptions {
  /** Lines for humans instead of JSON; without it, when stderr is a terminal. */
  readonly isReadable?: boolean;
  /** Without it stderr. */
  readonly to?: NodeJS.WritableStream;
}

const STDERR = 2;

/**
 * A logger to stderr: JSON, one object per line, or readable lines when a human looks at a
 * terminal. It writes synchronously, so that the line that tells why the process ends is there
 * when it has ended.
 * @param level A level of pino, or `silent`.
 */
export function createLogger(level: string, options: LoggerOptions = {}): Logger {
  const isReadable = options.isReadable ?? process.stderr.isTTY === true;
  const stream = isReadable ? readable(options.to) : (options.to ?? jsonToStderr());
  // Errors stand under `error` or `err`; without a serializer they would print as {}.
  const serializers = { error: stdSerializers.err, err: stdSerializers.err };
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime, serializers }, stream);
}

const jsonToStderr = (): DestinationStream => pino.destination({ dest: STDERR, sync: true });

function readable(to: NodeJS.WritableStream | undefined): DestinationStream {
  return build({
    destination: to ?? STDERR,
    sync: true,
    colorize: to === undefined,
    translateTime: 'SYS:HH:MM:ss.l',
    errorLikeObjectKeys: ['err', 'error'],
  });
}
