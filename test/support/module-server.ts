import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';

/** Somebody's web server: one page, and the modules of an installed package as they lie there. */
export class ModuleServer {
  readonly #server: Server;
  /** What was asked for and is not there. */
  readonly missing: string[] = [];

  private constructor(page: string, directory: string) {
    this.#server = createServer(({ url = '/' }, response) => {
      if (url === '/favicon.ico') return response.writeHead(204).end();
      if (url === '/') return response.setHeader('content-type', 'text/html').end(page);
      try {
        const bytes = readFileSync(join(directory, normalize(url)));
        response.setHeader('content-type', 'text/javascript').end(bytes);
      } catch {
        this.missing.push(url);
        response.writeHead(404).end();
      }
      return response;
    });
  }

  static async start(page: string, directory: string): Promise<ModuleServer> {
    const server = new ModuleServer(page, directory);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
