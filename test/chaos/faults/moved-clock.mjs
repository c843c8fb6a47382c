// Loaded before a server's own code (`node --import`): a clock that can be moved while it runs. SIGUSR2 moves it by as many milliseconds as
// the file named by MOVED_CLOCK holds. Timers go by another clock, here as where an operator sets the time.
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const True = Date;
let moved = 0;
const now = () => True.now() + moved;

globalThis.Date = new Proxy(True, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new True(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});

if (isMainThread) process.on('SIGUSR2', () => (moved = Number(readFileSync(process.env.MOVED_CLOCK, 'utf8'))));
