import type { DeviceEffect } from '../../client/device-io.ts';

/** Why a device takes no readings any more: what `ready` and `flush` reject with once it has ended. */
export class DeviceEndedError extends Error {
  override readonly name = 'DeviceEndedError';
  /** As in the event `stopped`; 0: the device was closed. */
  readonly code: number;

  constructor(reason: string, code: number) {
    super(`the device has ended: ${reason}`);
    this.code = code;
  }
}

/** Why a device has ended with this step. */
export function endedBy(effects: readonly DeviceEffect[]): DeviceEndedError {
  const stop = effects.find((effect) => effect.kind === 'stopped');
  if (!stop) return new DeviceEndedError('it was closed', 0);
  const { code, status, message } = stop.ending;
  const shown = code || status;
  return new DeviceEndedError(`it was stopped, ${shown} ${message}`.trimEnd(), shown);
}
