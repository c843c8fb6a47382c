import { eventReply, jsonReply, startMockServer, type MockReply, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

/** A prompt of which some was cached, an answer, and the thoughts beside it. */
export const GEMINI_USAGE = {
  promptTokenCount: 25,
  cachedContentTokenCount: 5,
  candidatesTokenCount: 12,
  thoughtsTokenCount: 4,
  totalTokenCount: 41,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: 25 }],
} as const;

export const THOUGHT_SIGNATURE = 'dGhvdWdodC1zaWduYXR1cmU=';

export const geminiError = (code: number, status: string, message: string, details: readonly object[] = []): MockReply =>
  jsonReply(code, { error: { code, message, status, details } });

/** Members that Google's servers know; they refuse a request with any other. */
const KNOWN: ReadonlySet<string> = new Set([
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'safetySettings',
  'generationConfig',
  'cachedContent',
  'serviceTier',
  'labels',
]);

interface Content {
  readonly role?: string;
  readonly parts: readonly Json[];
}

/** Neighbours of one role are one content. */
const mergedContents = (request: Json): readonly Content[] => {
  const merged: Content[] = [];
  for (const content of (request['contents'] ?? []) as readonly Content[]) {
    const last = merged.at(-1);
    if (last !== undefined && last.role === content.role) merged[merged.length - 1] = { ...last, parts: [...last.parts, ...content.parts] };
    else merged.push(content);
  }
  return merged;
};

/** What Google's servers refuse of a request; `null` where nothing is wrong with it. */
const faultIn = (request: Json, signs: boolean): string | null => {
  const unknown = Object.keys(request).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) return `Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`;
  let open: readonly unknown[] = [];
  for (const [index, { role, parts }] of mergedContents(request).entries()) {
    if (parts.length === 0) return 'contents.parts must not be empty.';
    if (index === 0 && role === 'model') return 'Please ensure that function call turn comes immediately after a user turn';
    const names = (kind: string): readonly unknown[] =>
      parts.flatMap((part) => (part[kind] === undefined ? [] : [(part[kind] as Json)['name']]));
    if (JSON.stringify(names('functionResponse')) !== JSON.stringify(open))
      return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
    open = names('functionCall');
    const first = parts.find((part) => part['functionCall'] !== undefined);
    if (signs && first !== undefined && first['thoughtSignature'] === undefined) return 'Function call is missing a thought_signature.';
  }
  return null;
};

const answerTo = (request: Json): readonly Json[] => {
  const contents = request['contents'] as readonly Content[];
  const last = contents.at(-1)?.parts ?? [];
  const generation = (request['generationConfig'] ?? {}) as Json;
  const thinking = generation['thinkingConfig'] as { includeThoughts?: boolean } | undefined;
  const thought = thinking?.includeThoughts === true ? [{ text: 'Let me think.', thought: true }] : [];
  if (last.some((part) => part['functionResponse'] !== undefined)) return [...thought, { text: 'It is sunny in both.' }];
  const declared = (request['tools'] as readonly { functionDeclarations?: readonly { name: string }[] }[] | undefined)?.[0]
    ?.functionDeclarations?.[0];
  const calling = (request['toolConfig'] as { functionCallingConfig?: { allowedFunctionNames?: readonly string[] } } | undefined)
    ?.functionCallingConfig;
  // A tool by which the answer itself is to be given is called once.
  const only = calling?.allowedFunctionNames?.[0] ?? (declared?.name === 'json' ? 'json' : undefined);
  if (only !== undefined) return [{ functionCall: { name: only, args: { city: 'Oslo' } }, thoughtSignature: THOUGHT_SIGNATURE }];
  if (declared !== undefined)
    return [
      ...thought,
      { text: 'Let me look.' },
      { functionCall: { name: declared.name, args: { city: 'Oslo' } }, thoughtSignature: THOUGHT_SIGNATURE },
      { functionCall: { name: declared.name, args: { city: 'Rome' } } },
    ];
  if (generation['responseMimeType'] === 'application/json') return [{ text: '{"city":"Oslo"}' }];
  const image = last.find((part) => part['inlineData'] !== undefined)?.['inlineData'] as { mimeType: string } | undefined;
  return [...thought, { text: image === undefined ? 'Hello there.' : `I see an ${image.mimeType}.` }];
};

/** The response that the mock answers a request with. */
export const geminiResponse = (request: Json): Json => ({
  candidates: [{ content: { role: 'model', parts: answerTo(request) }, finishReason: 'STOP', index: 0 }],
  usageMetadata: GEMINI_USAGE,
  modelVersion: 'gemini-mock',
  responseId: 'r1',
});

/** A response as the events that stream it, one text each: part by part, why it ended behind them all, lines as Google ends them. */
export const geminiEvents = (response: Json): readonly string[] => {
  const [candidate] = response['candidates'] as readonly { content: Content; finishReason: string }[];
  const { modelVersion, responseId } = response;
  const event = (parts: readonly Json[], more: object, finish: object = {}): string =>
    `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts }, index: 0, ...finish }], modelVersion, responseId, ...more })}\r\n\r\n`;
  const parts = (candidate?.content.parts ?? []).flatMap((part): readonly Json[] => {
    const { text } = part;
    return typeof text === 'string'
      ? [
          { ...part, text: text.slice(0, 3) },
          { ...part, text: text.slice(3) },
        ]
      : [part];
  });
  return [
    ...parts.map((part) => event([part], { usageMetadata: { promptTokenCount: 25, totalTokenCount: 25 } })),
    event([{ text: '' }], { usageMetadata: response['usageMetadata'] }, { finishReason: candidate?.finishReason }),
  ];
};

const answer = ({ path, headers, json }: MockRequest): MockReply => {
  const [address = '', query = ''] = path.split('?');
  const [, model, method] = /^\/v1beta\/models\/(.+):(\w+)$/.exec(address) ?? [];
  if (model === undefined) return geminiError(404, 'NOT_FOUND', 'models are not found');
  if (headers['x-goog-api-key'] === undefined && headers.authorization?.startsWith('Bearer ya29.') !== true)
    return geminiError(403, 'PERMISSION_DENIED', 'Method doesn’t allow unregistered callers');
  if (method === 'batchEmbedContents')
    return jsonReply(200, {
      embeddings: (json['requests'] as readonly unknown[]).map((_request, index) => ({ values: [index, 0.5, -0.25] })),
    });
  const fault = faultIn(json, model.includes('gemini-3'));
  if (fault !== null) return geminiError(400, 'INVALID_ARGUMENT', fault);
  const response = geminiResponse(json);
  if (method === 'generateContent') return jsonReply(200, response);
  if (method !== 'streamGenerateContent') return geminiError(404, 'NOT_FOUND', 'no such method');
  if (query === 'alt=sse') return eventReply(geminiEvents(response));
  return jsonReply(
    200,
    geminiEvents(response).map((event) => JSON.parse(event.slice('data: '.length)) as unknown),
  );
};

/** A provider that speaks Gemini's generateContent, as strictly as Google does. Its base URL has `/v1beta` at its end. */
export const startGeminiMock = (): Promise<MockServer> => startMockServer(answer);
