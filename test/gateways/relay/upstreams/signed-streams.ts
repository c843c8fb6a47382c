import type { Teller } from '../../../../domain/dialects/chat/told.ts';
import { CozeChunks } from '../../../../domain/dialects/coze/completion-chunks.ts';
import { DashscopeChunks } from '../../../../domain/dialects/dashscope/completion-chunks.ts';
import { DifyChunks } from '../../../../domain/dialects/dify/completion-chunks.ts';
import { hunyuanTeller } from '../../../../domain/dialects/hunyuan/completion-chunks.ts';
import { wenxinTeller } from '../../../../domain/dialects/wenxin/completion-chunks.ts';

/** A stream as its provider sends it. */
export interface Streamed {
  readonly teller: () => Teller;
  readonly named?: true;
  /** As they come, with the line ends that each has. */
  readonly stream: string;
  readonly usage: object;
}

const event = (data: unknown, before = '', lineEnd = '\n'): string =>
  `${before === '' ? '' : `${before}${lineEnd}`}data:${JSON.stringify(data)}${lineEnd}${lineEnd}`;

/** Streams of providers whose requests are signed, or that are no models but apps. */
export const SIGNED_STREAMS: Readonly<Record<string, Streamed>> = {
  dashscope: {
    teller: () => new DashscopeChunks(1, 'm'),
    stream: [
      { output: { choices: [{ finish_reason: 'null', message: { role: 'assistant', content: 'Grüße ' } }] }, request_id: 'r' },
      { output: { choices: [{ finish_reason: 'null', message: { role: 'assistant', content: '☀' } }] }, request_id: 'r' },
      {
        output: { choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: '' } }] },
        usage: { input_tokens: 20, output_tokens: 7, prompt_tokens_details: { cached_tokens: 5 } },
        request_id: 'r',
      },
    ]
      .map((said, index) => event(said, `id:${index + 1}\nevent:result\n:HTTP_STATUS/200`))
      .join(''),
    usage: { prompt_tokens: 20, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 5 } },
  },
  hunyuan: {
    teller: () => hunyuanTeller(1, 'm'),
    stream: `${[
      { Id: 'h', Choices: [{ Delta: { Role: 'assistant', Content: 'Grüße ' }, FinishReason: '' }] },
      { Id: 'h', Choices: [{ Delta: { Content: '☀' }, FinishReason: '' }] },
      { Id: 'h', Choices: [{ Delta: {}, FinishReason: 'stop' }], Usage: { PromptTokens: 20, CompletionTokens: 7, TotalTokens: 27 } },
    ]
      .map((said) => event(said))
      .join('')}data: [DONE]\n\n`,
    usage: { prompt_tokens: 20, completion_tokens: 7 },
  },
  wenxin: {
    teller: () => wenxinTeller(1, 'm'),
    stream: [
      { id: 'a', result: 'Grüße ', is_end: false },
      { id: 'a', result: '☀', is_end: true, usage: { prompt_tokens: 20, completion_tokens: 7 } },
    ]
      .map((said) => event(said))
      .join(''),
    usage: { prompt_tokens: 20, completion_tokens: 7 },
  },
  dify: {
    teller: () => new DifyChunks(1, 'm'),
    stream: `event: ping\n\n${[
      { event: 'workflow_started', message_id: 'x' },
      { event: 'message', message_id: 'x', answer: 'Grüße ' },
      { event: 'agent_message', message_id: 'x', answer: '☀' },
      { event: 'message_end', metadata: { usage: { prompt_tokens: 20, completion_tokens: 7 } } },
    ]
      .map((said) => event(said))
      .join('')}`,
    usage: { prompt_tokens: 20, completion_tokens: 7 },
  },
  coze: {
    teller: () => new CozeChunks(1, 'm'),
    named: true,
    stream: (
      [
        ['conversation.chat.created', { id: 'c', status: 'created' }],
        ['conversation.message.delta', { type: 'answer', chat_id: 'c', content: 'Grüße ' }],
        ['conversation.message.delta', { type: 'verbose', chat_id: 'c', content: 'not this' }],
        ['conversation.message.delta', { type: 'answer', chat_id: 'c', content: '☀' }],
        ['conversation.message.completed', { type: 'answer', chat_id: 'c', content: 'Grüße ☀' }],
        ['conversation.chat.completed', { id: 'c', usage: { token_count: 27, input_count: 20, output_count: 7 } }],
        ['done', '[DONE]'],
      ] as const
    )
      .map(([name, data]) => event(data, `event:${name}`, '\r\n'))
      .join(''),
    usage: { prompt_tokens: 20, completion_tokens: 7 },
  },
};
