import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from './doc-code.ts';
import { type CliChild, type CliPlace, type CliResult, NODE, startProgram } from './run-cli.ts';

/** How `npm install` ends where no registry answers, and nothing else is wrong. */
const NO_REGISTRY =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT/;
/** npm waits 10 s before it asks again, for every package; we would rather know. */
const PATIENCE = [
  '--fetch-retries',
  '1',
  '--fetch-retry-mintimeout',
  '500',
  '--fetch-timeout',
  '15000',
];
const INSTALL = ['--prefer-offline', '--no-audit', '--no-fund', ...PATIENCE];

/**
 * An empty project, in which somebody has installed Tidegate from its tarball.
 *
 * Its dependencies come from the registry that npm is configured with, as they do for users. Only
 * where none answers are they linked out of the repository's own node_modules, which is told.
 */
export class PackedProject {
  readonly directory = mkdtempSync(join(tmpdir(), 'tidegate-package-'));
  readonly #env = { PATH: `${dirname(NODE)}:${process.env['PATH']}` };

  /** Packs the repository, which builds `dist/`, and installs what came out. */
  static async make(): Promise<PackedProject> {
    const project = new PackedProject();
    try {
      await project.#install(await project.#pack());
      return project;
    } catch (error) {
      project.remove();
      throw error;
    }
  }

  /** Where the package lies. */
  get package(): string {
    return join(this.directory, 'node_modules/tidegate');
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.directory, name), text);
  }

  /** Starts a program in the project, with the Node of the repository as `node`. */
  start(program: string, argv: readonly string[], env?: CliPlace['env']): CliChild {
    return startProgram(program, argv, {
      cwd: this.directory,
      env: { ...this.#env, ...env },
    });
  }

  /** Starts the command as its link in node_modules/.bin does. */
  tidegate(...argv: string[]): CliChild {
    return this.start(join(this.directory, 'node_modules/.bin/tidegate'), argv);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #pack(): Promise<string> {
    const packed = join(this.directory, 'packed');
    mkdirSync(packed);
    await this.#npm(['pack', '--pack-destination', packed], ROOT);
    const [tarball = ''] = readdirSync(packed);
    return join(packed, tarball);
  }

  async #npm(argv: readonly string[], cwd = this.directory): Promise<CliResult> {
    const env = { ...this.#env, npm_config_loglevel: 'error', npm_config_update_notifier: 'false' };
    const result = await startProgram('npm', argv, { cwd, env }).ended;
    if (result.code === 0) return result;
    throw new Error(`npm ${argv[0]} ended with ${result.code}: ${result.stderr}${result.stdout}`);
  }

  async #install(tarball: string): Promise<void> {
    this.write('package.json', JSON.stringify({ private: true, type: 'module' }));
    try {
      await this.#npm(['install', tarball, ...INSTALL]);
    } catch (error) {
      if (!NO_REGISTRY.test(String(error))) throw error;
      process.stderr.write(
        'no registry answers: the package gets the dependencies of this clone\n',
      );
      await this.#link(tarball);
    }
  }

  async #link(tarball: string): Promise<void> {
    rmSync(join(this.directory, 'node_modules'), { recursive: true, force: true });
    mkdirSync(this.package, { recursive: true });
    const unpack = ['-xzf', tarball, '-C', this.package, '--strip-components', '1'];
    const { code, stderr } = await this.start('tar', unpack).ended;
    if (code !== 0) throw new Error(`tar ended with ${code}: ${stderr}`);
    const { dependencies, bin } = JSON.parse(
      readFileSync(join(this.package, 'package.json'), 'utf8'),
    ) as { dependencies: Record<string, string>; bin: { tidegate: string } };
    for (const name of Object.keys(dependencies)) {
      const link = join(this.directory, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), link);
    }
    mkdirSync(join(this.directory, 'node_modules/.bin'));
    chmodSync(join(this.package, bin.tidegate), 0o755);
    symlinkSync(
      join(this.package, bin.tidegate),
      join(this.directory, 'node_modules/.bin/tidegate'),
    );
  }
}
