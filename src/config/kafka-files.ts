import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Read } from './values.ts';

const bad = (problem: string): { readonly problem: string } => ({ problem });

/** Looks whether a file may hold a password: it is read again for every connection. */
export function checkPassword(file: Uint8Array): Read<null> {
  const password = new TextDecoder().decode(file).replace(/\r?\n$/, '');
  return password === '' ? bad('the file is empty, and should hold the password') : { value: null };
}

/** The first certificate of a PEM file. Node itself takes anything for authorities, and then trusts nobody. */
export function readCertificate(file: Uint8Array): Read<X509Certificate> {
  const text = new TextDecoder().decode(file);
  try {
    if (text.includes('-----BEGIN ')) return { value: new X509Certificate(text) };
  } catch {
    // What it is instead does not matter: the sentence below says what it has to be.
  }
  return bad('the file holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)');
}

/** The private key of a PEM file. */
export function readKey(file: Uint8Array): Read<KeyObject> {
  const text = new TextDecoder().decode(file);
  try {
    return { value: createPrivateKey(text) };
  } catch {
    // What OpenSSL says about it helps nobody, and differs from version to version.
    return /ENCRYPTED/.test(text)
      ? bad('the key is encrypted, and there is no setting for its passphrase: decrypt it first')
      : bad('the file holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)');
  }
}
