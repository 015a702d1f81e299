import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/**
 * The floor: a ws server with the gateway's own settings that looks at no frame. Prints its port;
 * every line on stdin is answered with `{"frames", "cpuUs"}`. Ends when stdin does.
 */
const settings = {
  perMessageDeflate: false,
  maxPayload: 16 * 1024,
  maxFragments: 16,
  maxBufferedChunks: 1024,
  clientTracking: false,
  allowSynchronousEvents: true,
};
const http = createServer();
const server = new WebSocketServer({ ...settings, server: http });
let frames = 0;

server.on('connection', (socket) => {
  socket.on('message', () => {
    frames += 1;
  });
});
http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(http.address() as AddressInfo).port}\n`);
});
process.stdin.on('data', () => {
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${JSON.stringify({ frames, cpuUs: user + system })}\n`);
});
process.stdin.on('end', () => process.exit(0));
