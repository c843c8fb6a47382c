import type { Readable } from 'node:stream';
import { applyHeaderRules } from '../../domain/channel/header-rules.ts';
import type { AttemptId } from '../../schemas/ids.ts';
import type { DirectoryChannel, DirectoryChannelKey } from '../ports/directory.ts';
import type { UpstreamRequest } from '../ports/upstream.ts';
import type { AttemptDeps } from './attempt-deps.ts';
import type { Call } from './call.ts';
import type { Upload } from './upload.ts';
import { addressOf } from './upstream-address.ts';
import { addCredential } from './upstreams/credential-headers.ts';
import type { Ask, Asked } from './upstreams/upstream-dialect.ts';

/** The body of an upload with its length, where that is known. */
const uploaded = (headers: Record<string, string>, upload: Upload, head: Buffer): Buffer | Readable => {
  if (!upload.whole && upload.length !== null) headers['content-length'] = String(upload.length - upload.head.length + head.length);
  return upload.body(head);
};

/** The body with everything in it that lies on disk, from the beginning each time that it is sent. */
const wholeOf = (headers: Record<string, string>, { room }: Call, body: Buffer): Buffer | Readable => {
  if (room === null || room.elision === null) return body;
  const { length, stream } = room.elision.whole(body);
  headers['content-length'] = String(length);
  return stream;
};

/** The request for one attempt on a channel; `null` where the channel has no address. */
export const requestFor = (
  deps: AttemptDeps,
  call: Call,
  { provider, parsed }: Ask,
  asked: Asked,
  channel: DirectoryChannel,
  key: DirectoryChannelKey | null,
  attemptId: AttemptId,
): UpstreamRequest | null => {
  const address = addressOf(channel.settings, deps.sandboxUrl());
  if (address === null) return null;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: call.streamed ? 'text/event-stream' : 'application/json',
    'user-agent': 'oblivious',
    // Names the attempt on the upstream's side too, for whoever compares bills.
    'x-client-request-id': attemptId,
  };
  for (const name in asked.headers) headers[name] = asked.headers[name] as string;
  const { headerRules } = channel.settings;
  if (headerRules !== undefined) applyHeaderRules(headers, headerRules, call.req.headers);
  const signing = key === null ? null : addCredential(headers, provider.auth, deps.channelSecrets.open(key));
  return {
    origin: address.origin,
    path: address.path + asked.path,
    method: 'POST',
    headers,
    body: 'upload' in parsed ? uploaded(headers, parsed.upload, asked.body) : wholeOf(headers, call, asked.body),
    trusted: provider.internal === true,
    proxy: channel.settings.proxy,
    signing: signing ?? undefined,
    work: asked.work === undefined ? undefined : { ...asked.work, basePath: address.path },
    socket: asked.socket,
  };
};
