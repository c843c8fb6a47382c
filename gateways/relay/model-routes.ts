import type { Router } from 'express';
import { refuse } from '../../schemas/errors.ts';
import type { Directory } from '../ports/directory.ts';
import { sendJson, sendRefusal } from './answer.ts';
import type { LookRoute } from './look-route.ts';
import { inAnthropicForm, inGeminiForm, inOllamaForm, listedModel, listModels } from './models.ts';
import { restOf, segmentsOf } from './segments.ts';

export const MODELS = '/v1/models';
export const MODEL = '/v1/models/{id}';
/** A model's name may hold slashes, sent as they are or encoded. */
export const ONE_MODEL = '/v1/models/*id';
const GEMINI_MODELS = '/v1beta/models';
const GEMINI_MODEL = '/v1beta/models/{model}';
const OLLAMA_MODELS = '/ollama/api/tags';

/** Other addresses may end with a slash as well; no model's name does. */
const withoutLastSlash = (name: string): string => (name.endsWith('/') ? name.slice(0, -1) : name);

/** The addresses at which models are looked up, in the forms of those who have such addresses. */
export const addModelRoutes = (router: Router, directory: Directory, look: LookRoute): void => {
  router.get(
    OLLAMA_MODELS,
    look(OLLAMA_MODELS, 'models', (call, caller) => sendJson(call, 200, { models: listModels(directory, caller).map(inOllamaForm) })),
  );
  router.get(
    MODELS,
    look(MODELS, 'models', (call, caller) => {
      const models = listModels(directory, caller);
      if (call.dialect.name === 'openai') return sendJson(call, 200, { object: 'list', data: models });
      const data = models.map(inAnthropicForm);
      sendJson(call, 200, { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
    }),
  );
  router.get(
    GEMINI_MODELS,
    look(GEMINI_MODELS, 'models', (call, caller) => sendJson(call, 200, { models: listModels(directory, caller).map(inGeminiForm) })),
  );
  router.get(
    '/v1beta/models/*rest',
    look(GEMINI_MODEL, 'models', (call, caller) => {
      const model = withoutLastSlash(restOf(call.req));
      const listed = listedModel(directory, caller, model);
      if (listed !== null) return sendJson(call, 200, inGeminiForm(listed));
      return sendRefusal(
        call,
        refuse('model_not_found', `The model "${model.slice(0, 200)}" does not exist here, or this key may not use it.`),
      );
    }),
  );
  router.get(
    ONE_MODEL,
    look(MODEL, 'models', (call, caller) => {
      const model = withoutLastSlash(segmentsOf(call.req.params['id']));
      const listed = listedModel(directory, caller, model);
      if (listed !== null) return sendJson(call, 200, call.dialect.name === 'openai' ? listed : inAnthropicForm(listed));
      return sendRefusal(
        call,
        refuse('model_not_found', `The model "${model.slice(0, 200)}" does not exist here, or this key may not use it.`, {
          param: 'model',
        }),
      );
    }),
  );
};
