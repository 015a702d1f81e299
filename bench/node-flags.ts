import packageJson from '../package.json' with { type: 'json' };

/** The flags of Node with which `npm start` runs the gateway. */
export const NODE_FLAGS: readonly string[] = packageJson.scripts.start
  .split(' ')
  .filter((word) => word.startsWith('--'));
