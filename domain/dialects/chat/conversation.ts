/** A call of a tool, as much of it as decides what answers it. */
interface Callable {
  readonly id: string;
}

/** Turns of one conversation in a format where two take turns: neighbours of one role are one turn. */
export interface Said<Role extends string, Block> {
  readonly role: Role;
  readonly content: Block[];
}

export interface ConversationRules<Role extends string, Block, Call extends Callable> {
  readonly user: Role;
  readonly assistant: Role;
  /** Stands for a result that nobody sent: a call without one is refused. */
  missing(call: Call): Block;
  /** A result that no call asked for, as something that the user says. */
  stray(result: Block): readonly Block[];
}

/** Puts turns together so that neighbours of one role are one, and every call has its result right behind it, in the order of the calls. */
export class Conversation<Role extends string, Block, Call extends Callable> {
  readonly said: Said<Role, Block>[] = [];
  readonly #rules: ConversationRules<Role, Block, Call>;
  /** Calls of the last turn of the assistant, and what came back so far. */
  #open: readonly Call[] = [];
  #results = new Map<string, Block>();
  #strays: Block[] = [];
  /** What came with results and has no place within them. */
  #beside: Block[] = [];

  constructor(rules: ConversationRules<Role, Block, Call>) {
    this.#rules = rules;
  }

  fromUser(blocks: readonly Block[]): void {
    this.#answerCalls();
    this.#add(this.#rules.user, blocks);
  }

  fromAssistant(blocks: readonly Block[], calls: readonly Call[]): void {
    this.#answerCalls();
    this.#add(this.#rules.assistant, blocks);
    this.#open = calls;
  }

  /** The call that this id names, where it is open. */
  call(id: string): Call | undefined {
    return this.#open.find((call) => call.id === id);
  }

  result(id: string, result: Block, beside: readonly Block[] = []): void {
    if (this.call(id) !== undefined && !this.#results.has(id)) this.#results.set(id, result);
    else this.#strays.push(...this.#rules.stray(result));
    this.#beside.push(...beside);
  }

  /** To be called behind the last turn. Calls that stand there are still to be answered, by whoever gets this. */
  end(): void {
    if (this.#results.size > 0 || this.#strays.length > 0) this.#answerCalls();
  }

  #answerCalls(): void {
    const results = this.#open.map((call) => this.#results.get(call.id) ?? this.#rules.missing(call));
    const blocks = [...results, ...this.#strays, ...this.#beside];
    this.#open = [];
    this.#results = new Map();
    this.#strays = [];
    this.#beside = [];
    this.#add(this.#rules.user, blocks);
  }

  #add(role: Role, blocks: readonly Block[]): void {
    if (blocks.length === 0) return;
    const last = this.said.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else this.said.push({ role, content: [...blocks] });
  }
}
