import type { FakeScript } from './script.ts';

/** Which calls a rule is for; what is not given matches all. */
export interface RuleMatch {
  readonly model?: string;
  /** The bearer key. */
  readonly key?: string;
  readonly path?: string;
  /** The rule is used so many times and then forgotten. */
  readonly times?: number;
}

interface Rule {
  readonly match: RuleMatch;
  readonly script: FakeScript;
  left: number;
}

/** Behaviour set by a test while the provider runs. Of the rules that match a call, the one set last is used. */
export class Rules {
  #rules: Rule[] = [];

  add(match: RuleMatch, script: FakeScript): void {
    this.#rules.unshift({ match, script, left: match.times ?? Infinity });
  }

  clear(): void {
    this.#rules = [];
  }

  take(call: { readonly model: string; readonly key: string | undefined; readonly path: string }): FakeScript | undefined {
    const rule = this.#rules.find(
      ({ match }) =>
        (match.model === undefined || match.model === call.model) &&
        (match.key === undefined || match.key === call.key) &&
        (match.path === undefined || match.path === call.path),
    );
    if (rule === undefined) return undefined;
    rule.left -= 1;
    if (rule.left <= 0) this.#rules.splice(this.#rules.indexOf(rule), 1);
    return rule.script;
  }
}
