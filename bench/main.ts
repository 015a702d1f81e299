/** `npm run bench -- NAME [--quick]`: picks the benchmark. */
const BENCHES: Readonly<Record<string, string>> = {
  first: 'a real gateway next to a ws server that discards the same frames',
  kafka: 'a real gateway on Kafka next to a ws server with bare kafkajs sends',
  overload: 'ten times what the log takes: goodput, fairness, ack latency, memory',
  curve: 'the same from half to ten times, as table and chart of docs/performance.md',
  storm: '5 000 devices that come back at once',
  wire: 'the codec, in process',
  credit: 'the allocator next to a fixed window, in process',
  aggregation: 'windows, in process',
  'file-log': 'the embedded log next to a bare durable write',
};

const [name = '', ...rest] = process.argv.slice(2);
if (!Object.hasOwn(BENCHES, name)) {
  const lines = Object.entries(BENCHES).map(([key, what]) => `  ${key.padEnd(12)} ${what}`);
  process.stderr.write(`usage: npm run bench -- NAME [--quick]\n${lines.join('\n')}\n`);
  process.exitCode = name === '' || name === '--help' ? 0 : 78;
} else {
  process.argv = [...process.argv.slice(0, 2), ...rest];
  await import(`./${name}.ts`);
}
