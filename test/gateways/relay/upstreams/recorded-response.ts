/** A whole answer of the Responses API, as an upstream gives it. */
export const RECORDED_RESPONSE = {
  id: 'resp_theirs',
  object: 'response',
  status: 'completed',
  model: 'm',
  output: [{ id: 'msg_theirs', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Grüße', annotations: [] }] }],
  usage: { input_tokens: 30, output_tokens: 9, total_tokens: 39 },
};
