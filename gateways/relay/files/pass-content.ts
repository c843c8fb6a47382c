import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { UpstreamRequest } from '../../ports/upstream.ts';
import type { Call } from '../call.ts';
import { Passing, type Passed } from '../pass-through/passing.ts';
import type { RelayDeps } from '../relay-deps.ts';
import type { Watch } from '../watch.ts';

/** Gives what lies at an upstream on as it comes; a refusal where nothing of it came. */
export const passContent = async (
  deps: Pick<RelayDeps, 'limits' | 'stopwatch' | 'upstream'> & { readonly watch: Watch },
  call: Call,
  request: UpstreamRequest,
): Promise<Refusal | void> => {
  call.res.on('close', () => {
    if (!call.res.writableFinished) call.interrupt('client_left');
  });
  const passed = await new Promise<Passed>((resolve) =>
    new Passing(
      deps,
      call,
      { recorded: null, model: '', withinMs: deps.limits.answerMs, headers: [], mayPass: (status) => status === 200 },
      resolve,
    ).begin((listener) => deps.upstream.send({ ...request, wantsHeaders: true }, listener)),
  );
  if (passed.kind === 'answered') return void call.res.end(passed.rest);
  if (passed.kind === 'broken') return void call.res.destroy();
  return refuse(passed.kind === 'judged' && passed.status === 404 ? 'not_found' : 'upstream_failed');
};
