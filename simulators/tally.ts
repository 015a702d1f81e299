import { countReadings } from '../src/client/block.ts';
import type { DeviceEffect } from '../src/client/device-io.ts';
import { Latency } from './latency.ts';

/** What a fleet has done so far, over all its devices. */
export class Tally {
  framesSent = 0;
  framesAcked = 0;
  framesRejected = 0;
  framesLost = 0;
  readingsSent = 0;
  readingsAcked = 0;
  /** Readings of frames that were dropped, or that never became one. */
  readingsLost = 0;
  /** Welcomes after the first one of each device. */
  reconnects = 0;
  /** Devices that policy A stopped. */
  stopped = 0;
  /** What the last ack was worth: 0, 1 or 2 of PROTOCOL §6.4. */
  dur: number | null = null;
  /** The last reason that any device was told for its limits standing still; 0: none so far. */
  why = 0;
  readonly latency = new Latency();

  /** Takes note of one effect of a device session. */
  note(effect: DeviceEffect, nowMs: number): void {
    switch (effect.kind) {
      case 'sendFrame':
        if (effect.frame.transmissions > 1) return;
        this.framesSent += 1;
        this.readingsSent += effect.frame.readings;
        return;
      case 'acked':
        this.dur = effect.dur;
        for (const frame of effect.freed) {
          this.framesAcked += 1;
          this.readingsAcked += frame.readings;
          this.latency.record(nowMs - frame.sentAtMs);
        }
        return;
      case 'rejected':
        this.framesRejected += 1;
        return;
      case 'dropped':
        if (effect.frame) this.framesLost += 1;
        this.readingsLost += effect.readings;
        return;
      case 'refused':
        this.readingsLost += countReadings(effect.blocks);
        return;
      case 'thinned':
        this.readingsLost += effect.readings;
        return;
      case 'stopped':
        this.stopped += 1;
        return;
      case 'terms':
        if (effect.why !== 0) this.why = effect.why;
        return;
      case 'formed':
      case 'renumbered':
      case 'clockSet':
      case 'welcomed':
      case 'moved':
      case 'connect':
      case 'send':
      case 'close':
      case 'waiting':
      case 'finished':
        return;
    }
  }
}
