import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ResponsesUpstream {
  /** With `/v1`. */
  readonly baseUrl: string;
  /** What it was asked, in order. */
  readonly asked: { readonly path: string; readonly body: Record<string, unknown> }[];
  /** How the next calls go: well unless said otherwise. */
  behave(how: 'well' | 'refuse' | 'break' | 'fail'): void;
  close(): Promise<void>;
}

const USAGE = {
  input_tokens: 30,
  input_tokens_details: { cached_tokens: 10 },
  output_tokens: 9,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 39,
};

const read = async (req: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

/** An upstream that speaks the Responses API itself, and has a tool of its own: it thinks, searches, and answers "Found it." */
export const startResponsesUpstream = async (): Promise<ResponsesUpstream> => {
  const asked: ResponsesUpstream['asked'] = [];
  let how: Parameters<ResponsesUpstream['behave']>[0] = 'well';
  const thought = { id: 'rs_theirs', type: 'reasoning', summary: [], encrypted_content: 'sealed' };
  const search = { id: 'ws_theirs', type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'x' } };
  const message = {
    id: 'msg_theirs',
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text: 'Found it.', annotations: [{ type: 'url_citation', url: 'https://example.com', title: 'x' }] }],
  };
  const server = createServer((req, res) => {
    void read(req).then((text) => {
      const body = JSON.parse(text) as Record<string, unknown>;
      asked.push({ path: req.url ?? '', body });
      const response = (status: string, output: readonly object[], usage: object | null): object => ({
        id: 'resp_theirs',
        object: 'response',
        created_at: 1,
        status,
        model: `${String(body['model'])}-2026`,
        output,
        store: false,
        previous_response_id: null,
        error: null,
        incomplete_details: null,
        metadata: {},
        usage,
        their_own: { member: true },
      });
      if (how === 'refuse') {
        res.writeHead(400, { 'content-type': 'application/json' });
        res.end(
          JSON.stringify({ error: { message: 'No such tool.', type: 'invalid_request_error', param: 'tools', code: 'unknown_tool' } }),
        );
        return;
      }
      const whole = response('completed', [thought, search, message], USAGE);
      if (body['stream'] !== true) {
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(JSON.stringify(whole));
        return;
      }
      const [part] = message.content;
      const events: object[] = [
        { type: 'response.created', response: response('in_progress', [], null) },
        { type: 'response.in_progress', response: response('in_progress', [], null) },
        { type: 'response.output_item.added', output_index: 0, item: { ...thought, encrypted_content: null } },
        { type: 'response.output_item.done', output_index: 0, item: thought },
        { type: 'response.output_item.added', output_index: 1, item: { ...search, status: 'in_progress' } },
        { type: 'response.web_search_call.searching', output_index: 1, item_id: 'ws_theirs' },
        { type: 'response.output_item.done', output_index: 1, item: search },
        { type: 'response.output_item.added', output_index: 2, item: { ...message, content: [] } },
        {
          type: 'response.content_part.added',
          output_index: 2,
          item_id: 'msg_theirs',
          content_index: 0,
          part: { type: 'output_text', text: '', annotations: [] },
        },
        { type: 'response.output_text.delta', output_index: 2, item_id: 'msg_theirs', content_index: 0, delta: 'Found ', logprobs: [] },
        { type: 'response.output_text.delta', output_index: 2, item_id: 'msg_theirs', content_index: 0, delta: 'it.', logprobs: [] },
        { type: 'response.output_text.done', output_index: 2, item_id: 'msg_theirs', content_index: 0, text: 'Found it.', logprobs: [] },
        { type: 'response.content_part.done', output_index: 2, item_id: 'msg_theirs', content_index: 0, part },
        { type: 'response.output_item.done', output_index: 2, item: message },
        how === 'fail'
          ? {
              type: 'response.failed',
              response: { ...response('failed', [], null), error: { code: 'server_error', message: 'It went wrong.' } },
            }
          : { type: 'response.completed', response: whole },
      ];
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const [sequence, event] of events.entries()) {
        if (how === 'break' && sequence === 10) return void setImmediate(() => res.destroy());
        const { type } = event as { readonly type: string };
        res.write(`event: ${type}\ndata: ${JSON.stringify({ ...event, sequence_number: sequence })}\n\n`);
      }
      res.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    behave: (next) => {
      how = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
