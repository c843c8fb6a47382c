// Runs the server, restarted when a source changes, beside the console's hot-reloading development server. Both end together.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const port = process.env['PORT'] ?? '3000';
const bin = (name) => `node_modules/.bin/${name}`;
const programs = [
  {
    name: 'server',
    command: bin('tsx'),
    args: ['watch', '--clear-screen=false', '--exclude', './ui/**', '--exclude', './test/**', 'infra/main.ts', 'start'],
  },
  { name: 'console', command: bin('vite'), args: ['ui', '--clearScreen', 'false'] },
];

const running = programs.map(({ name, command, args }) => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PORT: port, FORCE_COLOR: '1' } });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => process.stdout.write(`${name.padEnd(8)}| ${line}\n`));
  }
  return child;
});

let ending = false;
function endAll(exitCode) {
  if (ending) return;
  ending = true;
  process.exitCode = exitCode;
  for (const child of running) child.kill('SIGTERM');
}
for (const child of running) {
  child.once('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    endAll(1);
  });
  child.once('exit', (code) => endAll(code ?? 1));
}
process.once('SIGINT', () => endAll(0));
process.once('SIGTERM', () => endAll(0));
process.stdout.write(
  `develop: API on port ${port}; open the console at the address that "console" prints below (it passes /api and /v1 on)\n`,
);
