type Json = Readonly<Record<string, unknown>>;

/** What an upstream answered, whatever its form. */
export interface Answered {
  readonly id: string;
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly finish: string;
  /** OpenAI's form; `null`: it told none. */
  readonly usage: Json | null;
}

/** An answer of OpenAI's chat completions. `created` in seconds since the epoch. */
export const completionFrom = ({ id, text, reasoning, calls, finish, usage }: Answered, created: number, model: string): Json => ({
  id: `chatcmpl-${id}`,
  object: 'chat.completion',
  created,
  model,
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: text === '' && calls.length > 0 ? null : text,
        refusal: null,
        ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
        ...(calls.length === 0
          ? {}
          : {
              tool_calls: calls.map((call) => ({
                id: call.id,
                type: 'function',
                function: { name: call.name, arguments: call.arguments },
              })),
            }),
      },
      logprobs: null,
      finish_reason: finish,
    },
  ],
  ...(usage === null ? {} : { usage }),
});
