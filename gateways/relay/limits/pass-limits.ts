import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { Call, Caller } from '../call.ts';
import type { ParsedRequest } from '../endpoints/parsed-request.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { route, type Route } from '../route.ts';
import { limitHeaders } from './limit-headers.ts';

/** A chain of models that stand in for each other is not followed further. */
const MOST_STAND_INS = 4;

/** Asks the limits that operators set. They may send the call to another model, whose route this is then. */
export const passLimits = async (
  deps: PipelineDeps,
  call: Call,
  caller: Caller,
  parsed: ParsedRequest,
  routed: Route,
): Promise<Route | Refusal> => {
  let planned = routed;
  const passed = new Set([routed.model]);
  for (;;) {
    const entered = await deps.gate.enter(call, caller, parsed, planned);
    if (entered.kind !== 'instead') call.limitHeaders = limitHeaders(call.dialect.name, entered.standings, deps.clock.now());
    if (entered.kind === 'refused') return entered.refusal;
    if (entered.kind === 'in') {
      call.pass = entered.pass;
      return planned;
    }
    const { model } = entered;
    if (passed.has(model) || passed.size > MOST_STAND_INS)
      return refuse('rate_limited', 'A limit of this model is reached, and so are those of the models that stand in for it.');
    passed.add(model);
    const instead = route(deps.directory, caller, model, parsed.endpoint);
    if ('refused' in instead) {
      call.detail = `the model ${model} should stand in, but: ${instead.message}`;
      return refuse('rate_limited', `A limit of the model "${routed.model}" is reached.`);
    }
    planned = instead;
    call.model = model;
  }
};
