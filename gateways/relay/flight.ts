import type { z } from 'zod';
import type { Attempt } from '../../schemas/events/lease.ts';
import type { Usage } from '../../schemas/usage.ts';
import type { DirectoryChannelKey } from '../ports/directory.ts';
import type { UpstreamRequest } from '../ports/upstream.ts';
import type { AttemptDeps } from './attempt-deps.ts';
import type { Served } from './attempted.ts';
import type { Call } from './call.ts';
import type { AnswerForm } from './endpoints/endpoint.ts';
import type { NativeForm } from './native/native-form.ts';
import { Opening, type Opened } from './opening.ts';
import type { Asked } from './upstreams/upstream-dialect.ts';

/** One exchange with an upstream, from the moment it was sent. */
export interface Flight {
  readonly opening: Opening;
  readonly opened: Promise<Opened>;
  readonly served: Served;
  /** How its answer is read that goes to the client as it comes; `null`: it is told in the hub's form. */
  readonly native: NativeForm | null;
  readonly key: DirectoryChannelKey | null;
  readonly record: (outcome: z.infer<typeof Attempt>['outcome'], status: number | null, usage?: Usage) => void;
}

/** Sends a request; `opened` resolves once it is known how its answer begins, or that none does. */
export const open = (
  deps: AttemptDeps,
  call: Call,
  answers: AnswerForm,
  request: UpstreamRequest,
  { interpreter }: Asked,
  withinMs: number,
  readOn: boolean,
): Pick<Flight, 'opening' | 'opened'> => {
  const { limits } = deps;
  let settle: (opened: Opened) => void = () => undefined;
  const opened = new Promise<Opened>((resolve) => {
    settle = resolve;
  });
  const opening = new Opening(
    {
      answers,
      streamed: call.streamed,
      readOn,
      begun: deps.stopwatch.elapsed(),
      withinMs,
      heartbeatMs: limits.heartbeatMs,
      answerBytes: limits.answerBytes,
      eventBytes: limits.eventBytes,
    },
    (result) => {
      deps.watch.remove(opening);
      settle(result);
    },
  );
  deps.watch.add(opening);
  call.running = opening;
  if (interpreter === null) opening.begin(deps.upstream.send(request, opening));
  else {
    const interpreting = interpreter(opening);
    const exchange = deps.upstream.send(request, interpreting);
    interpreting.begin(exchange);
    opening.begin(exchange);
  }
  return { opening, opened };
};
