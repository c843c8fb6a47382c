import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCertificate {
  readonly key: Buffer;
  readonly certificate: Buffer;
  /** For clients, which take it from a file. */
  readonly file: string;
  /** For servers that take it from a file. */
  readonly keyFile: string;
  remove(): void;
}

/** A fresh certificate for the loopback, signed by itself; made with the `openssl` program. */
export const makeCertificate = (): TestCertificate => {
  const folder = mkdtempSync(join(tmpdir(), 'oblivious-tls-'));
  const key = join(folder, 'key.pem');
  const file = join(folder, 'certificate.pem');
  const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  execFileSync('openssl', [...make, '-keyout', key, '-out', file, ...names], { stdio: ['ignore', 'ignore', 'pipe'] });
  return {
    key: readFileSync(key),
    certificate: readFileSync(file),
    file,
    keyFile: key,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
};
