import type { Codec } from '../model/machine.ts';
import { decodeCbor } from '../wire/decode.ts';
import { encodeData } from '../wire/encode.ts';
import { jsonToCbor } from '../wire/json.ts';
import type { Data, DeviceBlock } from '../wire/messages.ts';

/** Around the blocks stands a whole message, because that is what there is a decoder for. */
const HEAD = { c: 1, n: 1, lost: 0 };

/** The blocks of a frame from their encoded form; null if they are none that could be sent. */
export function blocksOf(codec: Codec, encoded: Uint8Array): readonly DeviceBlock[] | null {
  const message = encodeData(codec, HEAD, encoded);
  const cbor = codec === 'json' ? jsonToCbor(message, 'client') : { bytes: message };
  if ('breach' in cbor) return null;
  const decoded = decodeCbor(cbor.bytes, 'client');
  return 'breach' in decoded ? null : (decoded.message as Data<DeviceBlock>).b;
}
