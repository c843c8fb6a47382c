import { z } from 'zod';

/** What V8 writes for `--cpu-prof`, as far as it is used here. Times are microseconds of the monotonic clock. */
const Profile = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.int() }),
      children: z.array(z.int()).optional(),
    }),
  ),
  startTime: z.number(),
  samples: z.array(z.int()),
  timeDeltas: z.array(z.number()),
});

export interface Hot {
  /** `name file:line`. */
  readonly place: string;
  /** Of the time that the thread was at work. */
  readonly share: number;
}

export interface ProfileSummary {
  /** Microseconds that the thread was at work. */
  readonly busy: number;
  /** Microseconds that were looked at. */
  readonly elapsed: number;
  /** By the function that was running. */
  readonly self: readonly Hot[];
  /** By function, with all that it called; of the project's own code. */
  readonly total: readonly Hot[];
  /** By where the running function comes from: a file of the project, a package, Node, the engine. */
  readonly origin: readonly Hot[];
}

const ASLEEP = new Set(['(idle)', '(root)']);

const fileOf = (url: string): string =>
  url
    .replace(/^file:\/\//, '')
    .replace(/^.*\/dist\//, '')
    .replace(/^.*\/node_modules\//, 'npm:');

const isOwn = (url: string): boolean => url.startsWith('file:') && !/\/node_modules\/(?!\.cache\/)/.test(url);

const originOf = (url: string): string => {
  if (url === '') return 'engine and system calls';
  if (url.startsWith('node:')) return 'node';
  const file = fileOf(url);
  return file.startsWith('npm:') ? (/^npm:(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? file) : file;
};

const ranked = (micros: ReadonlyMap<string, number>, busy: number): Hot[] =>
  [...micros].map(([place, spent]) => ({ place, share: spent / busy })).sort((a, b) => b.share - a.share);

/** Sums a `.cpuprofile` between two moments. */
export const summarise = (json: string, from: number, to: number): ProfileSummary => {
  const profile = Profile.parse(JSON.parse(json));
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  const self = new Map<string, number>();
  const total = new Map<string, number>();
  const origin = new Map<string, number>();
  let busy = 0;
  let at = profile.startTime;
  const add = (map: Map<string, number>, key: string, micros: number): void => void map.set(key, (map.get(key) ?? 0) + micros);
  const place = (id: number): string => {
    const frame = nodes.get(id)?.callFrame;
    if (frame === undefined) return '?';
    return `${frame.functionName || '(anonymous)'}${frame.url === '' ? '' : ` ${fileOf(frame.url)}:${frame.lineNumber + 1}`}`;
  };
  for (const [i, sample] of profile.samples.entries()) {
    // A sample stands for the time until the next one.
    at += profile.timeDeltas[i] ?? 0;
    const micros = profile.timeDeltas[i + 1] ?? 0;
    const frame = nodes.get(sample)?.callFrame;
    if (at < from || at > to || frame === undefined || ASLEEP.has(frame.functionName)) continue;
    busy += micros;
    add(self, place(sample), micros);
    add(origin, originOf(frame.url), micros);
    const seen = new Set<string>();
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      const own = isOwn(nodes.get(id)?.callFrame.url ?? '');
      const key = place(id);
      if (own && !seen.has(key)) add(total, key, micros);
      seen.add(key);
    }
  }
  return { busy, elapsed: to - from, self: ranked(self, busy), total: ranked(total, busy), origin: ranked(origin, busy) };
};
