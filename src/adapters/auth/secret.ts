import { createSecretKey, type KeyObject } from 'node:crypto';

/** RFC 7518 §3.2: an HS256 key is at least as long as the hash. Units: bytes. */
const SECRET_BYTES_MIN = 32;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The HS256 secret that a file holds, without the newline that editors leave at its end, or what is
 * wrong with it (the end of a sentence, which shows nothing of the file).
 * Guarantee: the key prints as nothing, in JSON, in logs and in errors.
 */
export function readSecret(file: Uint8Array): KeyObject | { readonly problem: string } {
  const secret = withoutNewline(file);
  if (secret.length >= SECRET_BYTES_MIN) return createSecretKey(secret);
  const found = `it holds ${secret.length} bytes, and a secret has at least ${SECRET_BYTES_MIN}`;
  return { problem: `${found}, such as those of \`openssl rand -hex 32\`` };
}

function withoutNewline(file: Uint8Array): Uint8Array {
  if (file.at(-1) !== LINE_FEED) return file;
  return file.subarray(0, file.at(-2) === CARRIAGE_RETURN ? -2 : -1);
}
