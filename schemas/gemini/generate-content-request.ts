import { z } from 'zod';
import { LARGEST_OUTPUT_LIMIT } from '../openai/chat-request.ts';

const Schema = z.record(z.string(), z.unknown());
const Args = z.record(z.string(), z.unknown());

/** What a turn holds. Which of the members is there says what it is; members that are not known make a part of a kind of its own. */
export const Part = z.looseObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  inlineData: z.looseObject({ mimeType: z.string().max(200), data: z.string() }).optional(),
  fileData: z.looseObject({ mimeType: z.string().max(200).optional(), fileUri: z.string() }).optional(),
  functionCall: z.looseObject({ name: z.string().min(1).max(200), args: Args.nullish(), id: z.string().max(200).optional() }).optional(),
  functionResponse: z
    .looseObject({ name: z.string().min(1).max(200), response: Args.nullish(), id: z.string().max(200).optional() })
    .optional(),
});
export type Part = z.infer<typeof Part>;

const Content = z.looseObject({ role: z.string().max(32).optional(), parts: z.array(Part).default([]) });

const FunctionDeclaration = z.looseObject({
  name: z.string().min(1).max(200),
  description: z.string().optional(),
  parameters: Schema.optional(),
  parametersJsonSchema: Schema.optional(),
});
const Tool = z.looseObject({ functionDeclarations: z.array(FunctionDeclaration).max(1_000).optional() });

const prompt = {
  contents: z.array(Content).min(1).max(100_000),
  systemInstruction: z.union([Content, z.string()]).nullish(),
  tools: z.array(Tool).max(1_000).nullish(),
} as const;

/** What of a body counts as its prompt. */
export const PromptContent = z.looseObject(prompt);
export type PromptContent = z.infer<typeof PromptContent>;

/** `models/{model}:generateContent` of Gemini's format, names of members in camel case. */
export const GenerateContentRequest = z.looseObject({
  ...prompt,
  toolConfig: z
    .looseObject({
      functionCallingConfig: z
        .looseObject({ mode: z.string().max(32).optional(), allowedFunctionNames: z.array(z.string()).optional() })
        .optional(),
    })
    .nullish(),
  generationConfig: z
    .looseObject({
      temperature: z.number().nullish(),
      topP: z.number().nullish(),
      seed: z.int().nullish(),
      presencePenalty: z.number().nullish(),
      frequencyPenalty: z.number().nullish(),
      candidateCount: z.int().min(1).max(8).nullish(),
      maxOutputTokens: z.int().positive().max(LARGEST_OUTPUT_LIMIT).nullish(),
      stopSequences: z.array(z.string()).nullish(),
      responseMimeType: z.string().max(100).nullish(),
      responseSchema: Schema.nullish(),
      responseJsonSchema: Schema.nullish(),
      responseModalities: z.array(z.string().max(32)).max(16).nullish(),
      thinkingConfig: z.looseObject({ thinkingBudget: z.int().nullish(), thinkingLevel: z.string().max(32).nullish() }).nullish(),
    })
    .nullish(),
  cachedContent: z.string().nullish(),
});
export type GenerateContentRequest = z.infer<typeof GenerateContentRequest>;

/** The fields of `models/{model}:generateContent` that decide what a call may cost. All others pass through unread where the upstream speaks the format. */
export const AnyGenerateRequest = z.looseObject({
  contents: z.array(z.unknown()).min(1).max(100_000),
  generationConfig: z
    .looseObject({
      candidateCount: z.int().min(1).max(8).nullish(),
      maxOutputTokens: z.int().positive().max(LARGEST_OUTPUT_LIMIT).nullish(),
      responseModalities: z.array(z.string().max(32)).max(16).nullish(),
    })
    .nullish(),
  serviceTier: z.string().max(32).nullish(),
});
