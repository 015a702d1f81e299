import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Address, requestHead } from './kafka-protocol.ts';

const SASL_AUTHENTICATE = 36;

/** Passes everything on to a broker, but ends the first few connections where a password comes. */
export class LoginCutter {
  /** How many more logins are cut. */
  left: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, left: number) {
    this.#server = server;
    this.left = left;
  }

  static async open(broker: string, cuts: number): Promise<LoginCutter> {
    const server = createServer();
    const cutter = new LoginCutter(server, cuts);
    const [host = '', port] = broker.split(':');
    server.on('connection', (client) => cutter.#relay(client, { host, port: Number(port) }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return cutter;
  }

  get address(): Address {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #relay(client: Socket, to: Address): void {
    const broker = connect({ ...to, noDelay: true });
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.on('close', () => broker.destroy());
    broker.on('close', () => client.end());
    broker.on('data', (bytes) => client.write(bytes));
    client.on('data', (bytes) => {
      // One request at a time is under way during a login, and it comes in one piece.
      if (this.left === 0 || requestHead(bytes as Buffer).api !== SASL_AUTHENTICATE) {
        broker.write(bytes);
        return;
      }
      this.left -= 1;
      broker.destroy();
    });
  }
}
