import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { KafkaSink } from './kafka-sink.ts';

/**
 * The floor: a ws server with the gateway's own settings that looks at no frame. Without arguments
 * it discards them; with `BROKERS TOPIC PARTITIONS` it sends the same bytes to Kafka with bare
 * kafkajs and the gateway's settings, and tells each socket how many of its frames are in the log.
 * Prints its port; every line on stdin is answered with `{"frames", "cpuUs"}`; ends when stdin does.
 */
const [brokers, topic = '', partitions = '1'] = process.argv.slice(2);
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
let sockets = 0;

const sink =
  brokers === undefined
    ? null
    : await KafkaSink.open({ brokers: brokers.split(','), topic, partitions: Number(partitions) });

server.on('connection', (socket) => {
  sockets += 1;
  const number = sockets;
  if (sink) serveThrough(sink, socket, number);
  else {
    socket.on('message', () => {
      frames += 1;
    });
  }
});

function serveThrough(to: KafkaSink, socket: WebSocket, number: number): void {
  let finished = 0;
  const told = Buffer.alloc(4);
  socket.on('message', (payload: Buffer) => {
    to.add(number, payload, (count) => {
      frames += count;
      finished += count;
      told.writeUInt32BE(finished);
      socket.send(told);
    });
  });
}

http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(http.address() as AddressInfo).port}\n`);
});
process.stdin.on('data', () => {
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${JSON.stringify({ frames, cpuUs: user + system })}\n`);
});
process.stdin.on('end', () => process.exit(0));
