// Adds to package-lock.json the optional packages of other platforms that the registry in use did not have when the lock file was
// written (mirrors often leave them out). Without their entries `npm ci` refuses the lock file, everywhere.
// Such a package is never fetched on a platform that is not its own; where it is, npm checks it against the registry's own digest.
import { readFileSync, writeFileSync } from 'node:fs';

const OS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const CPU = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** npm's `os`, `cpu` and `libc` fields, from the way such packages are named: `…-linux-arm64-musl`. */
function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = words.filter((word) => OS.includes(word));
  const cpu = words.filter((word) => CPU.includes(word));
  if (cpu.length === 0) throw new Error(`${name} does not say which platform it is for; add its entry by hand.`);
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : os.includes('linux') ? ['glibc'] : [];
  return { ...(os.length > 0 ? { os } : {}), cpu, ...(libc.length > 0 ? { libc } : {}) };
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const added = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const known = [`${path}/node_modules/${name}`, `node_modules/${name}`].some((place) => lock.packages[place] !== undefined);
    // A range would need the registry; packages for platforms are always asked for in one exact version.
    if (known || !/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) continue;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(entry.dev ? { dev: true } : {}),
      ...(entry.license === undefined ? {} : { license: entry.license }),
      optional: true,
      ...platformOf(name),
    };
    added.push(name);
  }
}
const [[root, project], ...rest] = Object.entries(lock.packages);
lock.packages = Object.fromEntries([[root, project], ...rest.sort(([a], [b]) => a.localeCompare(b, 'en'))]);
if (added.length > 0) writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`lock file: ${added.length} packages of other platforms added\n`);
