// Exits 0 when node_modules already holds what package-lock.json asks for, so that the Makefile need not install again merely because
// the lock file is the newer of the two.
import { readFileSync } from 'node:fs';

function packagesOf(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.entries(packages).filter(([path]) => path !== '');
}

try {
  const installed = new Map(packagesOf('node_modules/.package-lock.json'));
  const wanted = packagesOf('package-lock.json');
  // Optional packages are there or not, as the platform has it.
  const missing = wanted.filter(([path, entry]) => !entry.optional && installed.get(path)?.version !== entry.version);
  process.exitCode = missing.length === 0 ? 0 : 1;
} catch {
  process.exitCode = 1;
}
