#!/usr/bin/env node
/**
 * Picks the command, and is the only place that ends the process. It imports nothing before it has
 * looked at the version of Node: on an older one the imports themselves would fail, with an error
 * that nobody understands.
 */

/** The first with everything that we use. Source: docs/dependencies.md, runtime. */
const NODE_LEAST = 24;

async function main(argv: readonly string[]): Promise<number> {
  if (Number.parseInt(process.versions.node, 10) < NODE_LEAST) {
    const found = process.versions.node;
    process.stderr.write(`tidegate needs Node ${NODE_LEAST} or later, this is Node ${found}.\n`);
    return 78;
  }
  const { run, failed } = await import('./cli/run.ts');
  const bug = (error: unknown): never => process.exit(failed(argv[0] ?? '', error));
  process.on('uncaughtException', bug);
  process.on('unhandledRejection', bug);
  // A reader that went away (`| head`) is no fault; who writes much to stdout looks for it himself.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') bug(error);
  });
  return run(argv);
}

process.exit(await main(process.argv.slice(2)));
