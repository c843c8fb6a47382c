import cluster, { type Worker } from 'node:cluster';
import { setTimeout as pause } from 'node:timers/promises';
import type { Role } from '../../schemas/roles.ts';
import { renderTogether, type MetricSnapshot } from '../metrics/metrics.ts';
import type { FromProcess, FromSupervisor } from './messages.ts';
import type { ProcessGroup } from './process-groups.ts';

type Ready = Extract<FromProcess, { kind: 'ready' }>;

export interface SupervisorOptions {
  readonly groups: readonly ProcessGroup[];
  /** Not 0: when all who listen on it have died at once, their successors take the same. */
  readonly port: number;
  /** How long a process may take to end once it was told to; then it is killed. Milliseconds. */
  readonly endMs: number;
  readonly note: (text: string, details: Readonly<Record<string, unknown>>) => void;
}

export interface Supervisor {
  /** Of the first process that answers callers. */
  readonly ready: Pick<Ready, 'url' | 'firstRun'>;
  /**
   * Puts a new process in the place of each, one after another: the old one ends when the new one is ready. What it could not replace
   * it leaves as it was. One replacement at a time; asked again meanwhile, it starts over afterwards.
   */
  replaceAll(): Promise<void>;
  /** Tells every process to end, the way `SIGTERM` does, and resolves when all have. */
  stop(): Promise<void>;
  /** Kills what is left. */
  kill(): void;
}

/** A process did not become ready the first time. It has said why on standard error. */
export class ProcessNotStarted extends Error {
  constructor() {
    super('A process ended before it was ready.');
    this.name = 'ProcessNotStarted';
  }
}

/** How long a process may take to become ready when it is to take another's place. It may have read models to make first. */
const READY_MS = 300_000;

/** A process that died is started again after a while that doubles with each death in a row. */
const RESTART_MS = 200;
const LONGEST_RESTART_MS = 10_000;
/** Who lived for so long did not die of its start. */
const SETTLED_MS = 30_000;

/** How long a process may take to say what it has counted. */
const SNAPSHOT_MS = 1_000;

interface Running {
  readonly worker: Worker;
  readonly ready: Promise<Ready>;
  readonly ended: Promise<void>;
  /** It was told to end. */
  leaving: boolean;
}

/** One of the processes that there are to be, and what stands in it. */
interface Slot {
  readonly roles: readonly Role[];
  running: Running;
}

const send = (worker: Worker, message: FromSupervisor): void => {
  if (worker.isConnected()) worker.send(message, () => undefined);
};

/**
 * Runs several processes as one server: they share the port, which stays open while they come and go; one that dies is
 * started again; and together they have one `/metrics`.
 *
 * @throws ProcessNotStarted when one of the first processes does not come up.
 */
export const supervise = async ({ groups, port, endMs, note }: SupervisorOptions): Promise<Supervisor> => {
  // What this process was told on its command line is for it alone; its processes are told by the environment.
  cluster.setupPrimary({ args: ['start'] });
  const slots: Slot[] = [];
  let stopping = false;
  let requests = 0;
  const counting = new Map<number, (snapshot: MetricSnapshot) => void>();

  const snapshotOf = async ({ worker, ended }: Running): Promise<MetricSnapshot> => {
    const request = ++requests;
    const given = new AbortController();
    try {
      return await Promise.race([
        new Promise<MetricSnapshot>((resolve) => {
          counting.set(request, resolve);
          send(worker, { kind: 'metrics_wanted', request });
        }),
        ended.then(() => []),
        pause(SNAPSHOT_MS, [], { signal: given.signal }),
      ]);
    } finally {
      given.abort();
      counting.delete(request);
    }
  };
  const renderAll = async (): Promise<string> => renderTogether(await Promise.all(slots.map(({ running }) => snapshotOf(running))));

  const start = (roles: readonly Role[]): Running => {
    const worker = cluster.fork({ OBLIVIOUS_ROLES: roles.join(','), PORT: String(port) });
    const ended = new Promise<void>((resolve) => void worker.once('exit', () => resolve()));
    const ready = new Promise<Ready>((resolve, reject) => {
      worker.on('message', (message: FromProcess) => {
        if (message.kind === 'ready') resolve(message);
        else if (message.kind === 'metrics') counting.get(message.request)?.(message.snapshot);
        else {
          const { request } = message;
          void renderAll().then((text) => send(worker, { kind: 'metrics', request, text }));
        }
      });
      void ended.then(() => reject(new ProcessNotStarted()));
    });
    // Who waits hears of it; when nobody does, the end of the process is looked after below.
    ready.catch(() => undefined);
    return { worker, ready, ended, leaving: false };
  };

  /** Ends a process; `hand_over`: it no longer takes connections, but keeps those that it has for a while. */
  const end = async (running: Running, how: 'SIGTERM' | 'hand_over'): Promise<void> => {
    running.leaving = true;
    if (how === 'hand_over') send(running.worker, { kind: 'hand_over' });
    else running.worker.process.kill('SIGTERM');
    const timer = setTimeout(() => running.worker.process.kill('SIGKILL'), endMs);
    await running.ended;
    clearTimeout(timer);
  };

  /** Starts the process of a slot again whenever it dies. */
  const keep = (slot: Slot): void => {
    const watch = async (): Promise<void> => {
      let deaths = 0;
      while (!stopping) {
        const { running } = slot;
        const since = performance.now();
        await running.ended;
        if (running !== slot.running) continue;
        if (stopping || running.leaving) return;
        deaths = performance.now() - since > SETTLED_MS ? 1 : deaths + 1;
        const waitMs = Math.min(LONGEST_RESTART_MS, RESTART_MS * 2 ** (deaths - 1));
        note('a process died and is started again', { pid: running.worker.process.pid, roles: slot.roles, waitMs });
        await pause(waitMs);
        if (!stopping) slot.running = start(slot.roles);
      }
    };
    void watch();
  };

  const replace = async (slot: Slot): Promise<void> => {
    const successor = start(slot.roles);
    const given = new AbortController();
    const isReady = await Promise.race([
      successor.ready.then(
        () => true,
        () => false,
      ),
      pause(READY_MS, false, { signal: given.signal }).catch(() => false),
    ]);
    given.abort();
    const predecessor = slot.running;
    if (!isReady || stopping) {
      note('a process was not replaced: its successor did not become ready', { pid: predecessor.worker.process.pid, roles: slot.roles });
      return end(successor, 'SIGTERM');
    }
    slot.running = successor;
    note('a process was replaced', { pid: predecessor.worker.process.pid, by: successor.worker.process.pid, roles: slot.roles });
    await end(predecessor, 'hand_over');
  };

  try {
    for (const { roles, processes } of groups) {
      const group = Array.from({ length: processes }, (): Slot => ({ roles, running: start(roles) }));
      slots.push(...group);
      await Promise.all(group.map(({ running }) => running.ready));
    }
  } catch (error) {
    stopping = true;
    await Promise.all(slots.map(({ running }) => end(running, 'SIGTERM')));
    throw error;
  }
  for (const slot of slots) keep(slot);
  const readies = await Promise.all(slots.map(({ running }) => running.ready));
  const ready = readies.find(({ firstRun }) => firstRun !== null) ?? readies.at(-1);
  if (ready === undefined) throw new Error('there is no process to run');

  let replacing: Promise<void> | null = null;
  let again = false;
  return {
    ready,
    replaceAll: () => {
      again = true;
      replacing ??= (async () => {
        while (again && !stopping) {
          again = false;
          for (const slot of slots) if (!stopping) await replace(slot);
        }
        replacing = null;
      })();
      return replacing;
    },
    stop: async () => {
      stopping = true;
      for (const { running } of slots) running.leaving = true;
      // Those who answer callers first: what they append while they end is still projected.
      for (const { roles } of [...groups].reverse())
        await Promise.all(slots.filter((slot) => slot.roles === roles).map(({ running }) => end(running, 'SIGTERM')));
    },
    kill: () => {
      for (const { running } of slots) running.worker.process.kill('SIGKILL');
    },
  };
};
