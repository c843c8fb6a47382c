import { promptTokensOf } from '../../domain/pricing/cost.ts';
import { providerOf } from '../../domain/providers/providers.ts';
import { isRefusal } from '../../schemas/errors.ts';
import type { Attempted, Served } from './attempted.ts';
import { charge, outputTokensOf, type ChargedCall } from './charge.ts';
import { CLIENT_LEFT, release, type HeldCall } from './held-call.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import { endStream, endStreamRefused, type ChargedTokens } from './last-events.ts';
import { errorOfEnd, endedByClient, outcomeOfEnd } from './stream-end.ts';
import { relayStream, streamHeaders, type StreamOptions, type StreamResult } from './stream.ts';

const tokensOf = (charged: ChargedCall): ChargedTokens | null =>
  charged.basis === 'held'
    ? null
    : {
        promptTokens: promptTokensOf(charged.usage),
        outputTokens: outputTokensOf(charged.usage),
        estimated: charged.basis === 'estimated',
      };

const channelHeader = ({ channel }: Served): readonly string[] => ['x-oblivious-channel', channel.channelId];

/** What is left to do when nothing more will come of a stream. */
const finishStream = async (
  deps: PipelineDeps,
  held: HeldCall,
  served: Served,
  options: StreamOptions,
  result: StreamResult,
): Promise<void> => {
  const { call, parsed, hold, claim } = held;
  const closer = options.native ?? options.writer;
  const left = endedByClient(result.end);
  served.finish(outcomeOfEnd(result.end));
  call.errorCode = errorOfEnd(result.end);
  const status = call.res.headersSent ? 200 : CLIENT_LEFT;
  if (result.produced.empty && result.reading.kind === 'absent' && !left) {
    await release(deps, held, result.end === 'shutdown' ? 'shutdown' : 'upstream_failed', true, status);
    const last = closer !== null && result.end === 'done' ? await closer.end({}) : null;
    return endStream(call, result, null, { ...options, closer, last });
  }
  held.ended = true;
  const charged = await charge(deps, call, hold, parsed, held.route, served, status, result.reading, () => result.produced.countable());
  if (isRefusal(charged)) {
    claim?.spent();
    call.errorCode = charged.refused;
    return endStreamRefused(call, charged, closer);
  }
  const last = closer !== null && result.end === 'done' ? await closer.end(call.usage ?? {}) : null;
  endStream(call, result, { cost: charged.cost, tokens: tokensOf(charged) }, { ...options, closer, last });
  if (claim === null) return;
  // Half an answer is not worth repeating, and the whole one was not paid for.
  if (result.end === 'done')
    claim.done({ status: 200, headers: [...streamHeaders(call), ...channelHeader(served)], body: Buffer.concat(call.sent ?? []) });
  else claim.spent();
};

const NO_BODY = Buffer.alloc(0);

/** A text that comes token by token: sent as it comes, and charged before its end is sent. No async function: it would hold a frame for as long as the stream lasts. */
export const sendStream = (deps: PipelineDeps, held: HeldCall, attempted: Extract<Attempted, { kind: 'stream' }>): Promise<void> => {
  const { call, parsed, claim } = held;
  const { served, source, native: form } = attempted;
  if (parsed.endpoint !== 'chat' && parsed.endpoint !== 'completions') throw new Error('only text streams');
  const usageWanted = parsed.request.stream_options?.include_usage === true;
  const isRenamed = served.upstreamModel !== held.route.model;
  const native = form?.stream({ dialect: call.dialect, requestId: call.requestId, renamedTo: isRenamed ? held.route.model : null }) ?? null;
  const writer = native === null ? call.dialect.streamWriter({ requestId: call.requestId, model: held.route.model }) : null;
  const renamedTo = native === null && writer === null && isRenamed ? held.route.model : null;
  const chunkObject = parsed.endpoint === 'chat' ? 'chat.completion.chunk' : 'text_completion';
  const readOn = providerOf(served.channel.settings.provider)?.billsAborted === true;
  const options: StreamOptions = { usageWanted, renamedTo, chunkObject, native, writer, readOn };
  if (claim !== null) call.sent = [];
  // Nobody will be asked again.
  held.parsed = { ...parsed, body: NO_BODY };
  return relayStream(deps, call, source, channelHeader(served), options).then((result) =>
    finishStream(deps, held, served, options, result),
  );
};
