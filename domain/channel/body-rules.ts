import type { BodyCondition, BodyRule } from '../../schemas/events/channel-rules.ts';

type Json = unknown;
type Segments = readonly string[];

/** Names that reach behind an object in this language. */
const UNSAFE: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * What the charge of a call rests on: which model, what is asked, how it is streamed, and how much may be written. These members are the
 * relay's alone, at any depth where they limit the answer.
 */
const ROOTS: ReadonlySet<string> = new Set([
  'model',
  'modelId',
  'stream',
  'stream_options',
  'messages',
  'input',
  'prompt',
  'contents',
  'system',
  'systemInstruction',
  'system_instruction',
  'instructions',
  'tools',
  'documents',
  'web_search_options',
  'prediction',
  'modalities',
  'generationConfig',
  'inferenceConfig',
  'parameters',
  'options',
  'service_tier',
]);
const LIMITS: ReadonlySet<string> = new Set([
  'n',
  'best_of',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'max_new_tokens',
  'maxTokens',
  'maxOutputTokens',
  'maxTokenCount',
  'num_predict',
  'candidateCount',
  'service_tier',
]);

/** Members of these objects may be changed one by one, the object as a whole may not. */
const OPEN_INSIDE: ReadonlySet<string> = new Set(['generationConfig', 'inferenceConfig', 'parameters', 'options', 'stream_options']);

const segmentsOf = (path: string): Segments => path.split('.');

const isProtected = (path: string): boolean => {
  const [root = '', ...rest] = segmentsOf(path);
  if (root === '*' || segmentsOf(path).some((segment) => LIMITS.has(segment))) return true;
  if (root === 'stream_options') return true;
  if (OPEN_INSIDE.has(root)) return rest.length === 0 || rest[0] === '*';
  return ROOTS.has(root);
};

const pathsOf = (rule: BodyRule): readonly string[] => {
  switch (rule.op) {
    case 'move':
    case 'copy':
      return [rule.from, rule.to];
    case 'pass_over':
      return [];
    default:
      return [rule.path];
  }
};

/** What is wrong with a rule; `null`: nothing. */
export const bodyRuleFault = (rule: BodyRule): string | null => {
  const written = pathsOf(rule);
  const read = (rule.when ?? []).map(({ path }) => path);
  if ([...written, ...read].some((path) => segmentsOf(path).some((segment) => UNSAFE.has(segment)))) return 'is no path of a body';
  if ((rule.op === 'move' || rule.op === 'copy') && written.some((path) => path.includes('*'))) return 'cannot move or copy to many places';
  const touched = written.find(isProtected);
  return touched === undefined ? null : `${touched} decides what a call costs and is not changed by a rule`;
};

const isObject = (value: Json): value is Record<string, Json> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of a list, counted from its end where it is negative; `null` where it is none of its places. */
const indexIn = (list: readonly Json[], segment: string): number | null => {
  if (!/^-?\d{1,6}$/.test(segment)) return null;
  const index = Number(segment) < 0 ? list.length + Number(segment) : Number(segment);
  return index >= 0 && index < list.length ? index : null;
};

/** A place in a body: something that holds it, and its name or index there. */
interface Place {
  readonly holder: Record<string, Json> | Json[];
  readonly at: string | number;
}

/** The places that a path leads to. `making`: objects on the way that are missing are made. */
const placesOf = (body: Json, segments: Segments, making: boolean): readonly Place[] => {
  const [segment, ...rest] = segments;
  if (segment === undefined) return [];
  const inside = (holder: Place['holder'], at: string | number): readonly Place[] => {
    if (rest.length === 0) return [{ holder, at }];
    const held = (holder as Record<string | number, Json>)[at];
    if (held === undefined && making && !Array.isArray(holder)) {
      const made: Record<string, Json> = {};
      holder[at as string] = made;
      return placesOf(made, rest, making);
    }
    return placesOf(held, rest, making);
  };
  if (Array.isArray(body)) {
    if (segment === '*') return body.flatMap((_item, index) => inside(body, index));
    const index = indexIn(body, segment);
    return index === null ? [] : inside(body, index);
  }
  if (!isObject(body)) return [];
  return segment === '*' ? Object.keys(body).flatMap((name) => inside(body, name)) : inside(body, segment);
};

const valueAt = ({ holder, at }: Place): Json => (holder as Record<string | number, Json>)[at];
const put = ({ holder, at }: Place, value: Json): void => {
  (holder as Record<string | number, Json>)[at] = value;
};
const take = ({ holder, at }: Place): void => {
  if (Array.isArray(holder)) holder.splice(at as number, 1);
  else delete holder[at];
};

const compares = (found: Json, is: BodyCondition['is'], value: BodyCondition['value']): boolean => {
  if (is === 'present') return found !== undefined;
  if (is === 'equal') return found === value;
  if (typeof found === 'string' && typeof value === 'string') {
    if (is === 'prefix') return found.startsWith(value);
    if (is === 'suffix') return found.endsWith(value);
    if (is === 'containing') return found.includes(value);
  }
  if (Array.isArray(found) && is === 'containing') return found.includes(value);
  if (typeof found !== 'number' || typeof value !== 'number') return false;
  switch (is) {
    case 'greater':
      return found > value;
    case 'at_least':
      return found >= value;
    case 'less':
      return found < value;
    case 'at_most':
      return found <= value;
    default:
      return false;
  }
};

const holds = (body: Json, { path, is, value, not = false }: BodyCondition): boolean => {
  const places = placesOf(body, segmentsOf(path), false);
  return (places.length === 0 ? compares(undefined, is, value) : places.some((place) => compares(valueAt(place), is, value))) !== not;
};

const texts = (body: Json, path: string, change: (text: string) => string): void => {
  for (const place of placesOf(body, segmentsOf(path), false)) {
    const text = valueAt(place);
    if (typeof text === 'string') put(place, change(text));
  }
};

const withoutPrefix = (text: string, prefix: string): string => (text.startsWith(prefix) ? text.slice(prefix.length) : text);
const withoutSuffix = (text: string, suffix: string): string =>
  suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;

const apply = (body: Json, rule: Exclude<BodyRule, { op: 'pass_over' }>): void => {
  switch (rule.op) {
    case 'set':
    case 'default':
      for (const place of placesOf(body, segmentsOf(rule.path), true))
        if (rule.op === 'set' || valueAt(place) === undefined || valueAt(place) === null) put(place, structuredValue(rule.value));
      return;
    case 'delete':
      // From the end, or the places of a list would move on the way.
      for (const place of [...placesOf(body, segmentsOf(rule.path), false)].reverse()) take(place);
      return;
    case 'move':
    case 'copy': {
      const [from] = placesOf(body, segmentsOf(rule.from), false);
      const value = from === undefined ? undefined : valueAt(from);
      if (from === undefined || value === undefined) return;
      if (rule.op === 'move') take(from);
      for (const place of placesOf(body, segmentsOf(rule.to), true)) put(place, rule.op === 'copy' ? structuredValue(value) : value);
      return;
    }
    case 'prepend':
      return texts(body, rule.path, (text) => rule.value + text);
    case 'append':
      return texts(body, rule.path, (text) => text + rule.value);
    case 'ensure_prefix':
      return texts(body, rule.path, (text) => (text.startsWith(rule.value) ? text : rule.value + text));
    case 'ensure_suffix':
      return texts(body, rule.path, (text) => (text.endsWith(rule.value) ? text : text + rule.value));
    case 'trim_prefix':
      return texts(body, rule.path, (text) => withoutPrefix(text, rule.value));
    case 'trim_suffix':
      return texts(body, rule.path, (text) => withoutSuffix(text, rule.value));
    case 'replace':
      return texts(body, rule.path, (text) => text.split(rule.find).join(rule.with));
    case 'trim':
      return texts(body, rule.path, (text) => text.trim());
    case 'lower':
      return texts(body, rule.path, (text) => text.toLowerCase());
    case 'upper':
      return texts(body, rule.path, (text) => text.toUpperCase());
  }
};

/** A value of its own: what one call does with it is no other's business. */
const structuredValue = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(structuredValue);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, structuredValue(each)])) : value;
};

/** Changes a body in place, rule by rule, each seeing what those before it did. `false`: the channel does not take such a call. */
export const applyBodyRules = (body: Record<string, Json>, rules: readonly BodyRule[]): boolean => {
  for (const rule of rules) {
    if (rule.when !== undefined && !rule.when.every((condition) => holds(body, condition))) continue;
    if (rule.op === 'pass_over') return false;
    apply(body, rule);
  }
  return true;
};
