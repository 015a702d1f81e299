import { RECORD } from '../../../src/model/record.ts';
import type { MakeChecker } from '../checker.ts';

/** I3, I4: valid records of a (device, lane, epoch) have strictly increasing n. */
export const numbersIncrease: MakeChecker = (_world, blame) => ({
  name: 'I3 I4 valid records increase',
  kinds: ['landed'],
  see(fact) {
    if (fact.kind !== 'landed' || !fact.entry.isValid) return;
    const { header, device, before } = fact.entry;
    const { kind, lane, epoch, n } = header;
    if (kind !== RECORD.frame && kind !== RECORD.stub) return;
    if (n > before) return;
    blame(`record ${n} of lane ${lane}, epoch ${epoch}, follows record ${before}`, device);
  },
});
