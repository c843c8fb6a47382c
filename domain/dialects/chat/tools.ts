import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** A function that a model may call. */
export interface SaidTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema; `null`: it takes nothing. */
  readonly parameters: Json | null;
  readonly strict: boolean;
  readonly cache: Json | null;
}

/** Whether a model must call, and what. */
export type ToolChoice =
  | { readonly mode: 'auto' | 'none' | 'required' }
  /** Exactly this one. */
  | { readonly mode: 'named'; readonly name: string };

export interface SaidTools {
  readonly tools: readonly SaidTool[];
  /** `null`: the caller said nothing of it. */
  readonly choice: ToolChoice | null;
  readonly parallel: boolean;
}

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

const toolOf = (tool: unknown, param: string): SaidTool | Refusal => {
  const described = isRecord(tool) && isRecord(tool['function']) ? tool['function'] : null;
  if (!isRecord(tool) || described === null) return fault('only functions can be passed on.', param);
  return {
    name: textOf(described['name']),
    description: textOf(described['description']),
    parameters: isRecord(described['parameters']) ? described['parameters'] : null,
    strict: described['strict'] === true,
    cache: isRecord(tool['cache_control']) ? tool['cache_control'] : null,
  };
};

const nameIn = (value: unknown): string => (isRecord(value) && isRecord(value['function']) ? textOf(value['function']['name']) : '');

/** The tools of a chat request with its choice among them, or what of them cannot be said elsewhere. Tools that are not allowed are left out. */
export const toolsOf = (request: Json): SaidTools | Refusal => {
  if ((request['functions'] ?? null) !== null) return fault('is no longer in use; send tools.', 'functions');
  const tools: SaidTool[] = [];
  const given: readonly unknown[] = Array.isArray(request['tools']) ? request['tools'] : [];
  for (const [index, one] of given.entries()) {
    const tool = toolOf(one, `tools.${index}`);
    if ('refused' in tool) return tool;
    tools.push(tool);
  }
  const parallel = request['parallel_tool_calls'] !== false;
  const choice = request['tool_choice'];
  if (choice === undefined || choice === null) return { tools, choice: null, parallel };
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { tools, choice: { mode: choice }, parallel };
  if (isRecord(choice) && choice['type'] === 'function') return { tools, choice: { mode: 'named', name: nameIn(choice) }, parallel };
  if (isRecord(choice) && choice['type'] === 'allowed_tools' && isRecord(choice['allowed_tools'])) {
    const { mode, tools: allowed } = choice['allowed_tools'];
    const names = new Set((Array.isArray(allowed) ? (allowed as readonly unknown[]) : []).map(nameIn));
    return { tools: tools.filter(({ name }) => names.has(name)), choice: { mode: mode === 'required' ? 'required' : 'auto' }, parallel };
  }
  return fault('is not a choice that can be passed on.', 'tool_choice');
};
