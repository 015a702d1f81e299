import { CONFIG_HELP, SERVE_OPTIONS } from './config-options.ts';
import type { HelpPage } from './help.ts';

/** `tidegate serve --help`. */
export const SERVE_HELP: HelpPage = {
  usage: 'serve [options]',
  summary:
    'Runs the gateway: devices send readings over WebSocket, an acknowledged reading is in the\n' +
    'log, and the page at / shows it live. Without auth in the configuration it is open to\n' +
    'everybody who reaches it, and so it listens on loopback only.',
  options: SERVE_OPTIONS,
  sections: [
    [
      'When it is ready it prints one line to stdout; its log goes to stderr:',
      'tidegate ready http://127.0.0.1:8080 ws://127.0.0.1:8080/v1 log=file data=./data',
    ],
    [
      'Exit codes:',
      '0   stopped by SIGTERM or Ctrl-C (a second one stops it at once)',
      '69  the port is in use, or another process holds the data directory',
      '70  a bug of ours',
      '74  the disk of the log failed: what was acknowledged is safe up to there',
      '75  another gateway has taken over the log',
      '78  something in the configuration has to be set right first',
    ],
    ...CONFIG_HELP,
    [
      'Examples:',
      'tidegate serve',
      'tidegate serve --listen 127.0.0.1:0 --log file --data /var/lib/tidegate',
      'TIDEGATE_BUDGET=1GiB tidegate serve --log memory',
    ],
    [
      'To be reached from other machines (a tidegate.yaml; see `tidegate token` too):',
      'listen: {address: 0.0.0.0:8080, plaintext: trusted-network}',
      'auth: {hs256: {secretFile: ./secret}}     made by: (umask 077; openssl rand -hex 32 > secret)',
    ],
  ],
};
