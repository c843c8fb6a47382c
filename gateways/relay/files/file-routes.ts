import type { Request, RequestHandler, Router } from 'express';
import { PROVIDERS } from '../../../domain/providers/providers.ts';
import { servesGroup } from '../../../domain/relay/choose-channel.ts';
import { isRecord, textOf } from '../../../domain/dialects/loose-json.ts';
import { epochSeconds, isoInstant } from '../../../domain/kernel/iso-instant.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { FileId } from '../../../schemas/ids.ts';
import { FilesQuery } from '../../../schemas/openai/batch-request.ts';
import type { DirectoryChannel } from '../../ports/directory.ts';
import { sendBody, sendJson, sendRefusal } from '../answer.ts';
import { asItComes } from '../as-it-comes.ts';
import type { KeyUse } from '../authenticate.ts';
import { CallRoom } from '../bodies/body-room.ts';
import type { Call, Caller } from '../call.ts';
import { boundaryOf } from '../form-scanner.ts';
import { fromDesk } from '../from-desk.ts';
import { openaiList } from '../openai-list.ts';
import { firstIssue } from '../parse.ts';
import { pick } from '../pass-through/open-channels.ts';
import type { RelayDeps } from '../relay-deps.ts';
import { askPlace, placeRequest } from '../upstream-place.ts';
import { beginUpload, type BegunUpload } from './begin-upload.ts';
import { isKept, type FileDesk, type FileUpload, type KeptFile, type OwnFile } from './file-desk.ts';
import type { FileRoutesDeps } from './file-routes-deps.ts';
import { passContent } from './pass-content.ts';
import { uploadFile } from './upload-file.ts';

type Json = Readonly<Record<string, unknown>>;

const FILES = '/v1/files';
const FILE = '/v1/files/{id}';
const CONTENT = '/v1/files/{id}/content';

const NOWHERE = refuse('not_found', 'Files and batches are not taken here.');

const idIn = (req: Request): string => String(req.params['id']);

const fileAnswer = ({
  fileId,
  bytes,
  at,
  filename,
  purpose,
  expiresAt,
}: Pick<FileUpload, 'fileId' | 'bytes' | 'at' | 'filename' | 'purpose' | 'expiresAt'>): Json => ({
  id: fileId,
  object: 'file',
  bytes,
  created_at: epochSeconds(at),
  filename,
  purpose,
  status: 'processed',
  ...(expiresAt === null ? {} : { expires_at: epochSeconds(expiresAt) }),
});

const keptAnswer = (file: KeptFile): Json => fileAnswer({ ...file, expiresAt: null });

/** Channels that files can be given to. */
const channelsForFiles = ({ directory }: RelayDeps, { user }: Caller): readonly DirectoryChannel[] =>
  PROVIDERS.filter(({ dialect, serves }) => dialect === 'openai' && serves.includes('files'))
    .flatMap(({ id }) => directory.channelsOfProvider(id))
    .filter((channel) => servesGroup(channel, user.group) && channel.settings.endpoints?.includes('files') !== false);

/** The addresses of OpenAI's files. A file belongs to the key that gave or made it; anybody else's is not found. */
export const addFileRoutes = (router: Router, deps: FileRoutesDeps): void => {
  const { files: desk, limits, states, look, notThisMethod } = deps;

  const upload = async (files: FileDesk, call: Call, caller: Caller): Promise<void> => {
    const { req } = call;
    const boundary = boundaryOf(req.headers['content-type']);
    if (boundary === null) return sendRefusal(call, refuse('unsupported_media_type', 'Send the file as multipart/form-data.'));
    const length = req.headers['content-length'];
    const tooLarge = refuse('body_too_large', `A file has at most ${limits.uploadBytes} bytes.`);
    if (Number(length ?? 0) > limits.uploadBytes) return sendRefusal(call, tooLarge);
    call.room = new CallRoom(deps.bodies);
    try {
      const begun = await beginUpload(req, boundary, call.room, limits);
      if (begun === null) return;
      if (isRefusal(begun)) return sendRefusal(call, begun);
      if (begun.kind === 'here') return await keepHere(files, call, caller, begun);
      await passOn(files, call, caller, begun.head, tooLarge);
    } finally {
      call.room.release();
      // What nobody has read stands before the next request on its connection.
      req.resume();
    }
  };

  /** Keeps a file here, where vector stores find it. */
  const keepHere = async (
    files: FileDesk,
    call: Call,
    { user: { userId }, token: { tokenId } }: Caller,
    { filename, purpose, bytes }: Extract<BegunUpload, { kind: 'here' }>,
  ): Promise<void> => {
    if ((await files.lists.keptBytes(userId)) + bytes.length > limits.keptBytes)
      return sendRefusal(
        call,
        refuse('invalid_request', `The files of an account that are kept here have at most ${limits.keptBytes} bytes together.`, {
          param: 'file',
        }),
      );
    const file: KeptFile = {
      ...{ fileId: files.nextFileId(), userId, tokenId, filename, purpose },
      ...{ bytes: bytes.length, at: isoInstant(deps.clock.now()) },
    };
    const kept = await files.keepHere(file, bytes);
    return isRefusal(kept) ? sendRefusal(call, kept) : sendJson(call, 200, keptAnswer(file));
  };

  /** Gives a file to an upstream, while it comes. */
  const passOn = async (files: FileDesk, call: Call, caller: Caller, head: Buffer, tooLarge: Refusal): Promise<void> => {
    const { req } = call;
    const length = req.headers['content-length'];
    const channels = channelsForFiles(deps, caller);
    if (channels.length === 0) return sendRefusal(call, refuse('not_found', 'No channel takes files here.'));
    const channel = pick(channels, '', states, deps.random(), deps.sandboxUrl());
    const picked = channel === null ? null : states.nextKey(channel, null, null, deps.random());
    if (channel === null || picked === null || !picked.usable)
      return sendRefusal(call, refuse('no_channel', undefined, { retryAfterSeconds: states.secondsUntilReady(channels) }));
    const place = { channelId: channel.channelId, channelKeyId: picked.key?.keyId ?? null };
    call.channelId = place.channelId;
    let isTooLarge = false;
    const body = asItComes(
      req,
      limits.uploadBytes,
      () => {
        isTooLarge = true;
      },
      head,
    );
    const request = await placeRequest(files.asking, place, {
      method: 'POST',
      path: '/files',
      headers: { 'content-type': req.headers['content-type'] ?? '', ...(length === undefined ? {} : { 'content-length': length }) },
    });
    if (request === null) return sendRefusal(call, refuse('no_channel'));
    const answer = await uploadFile(deps.upstream, call, { ...request, body }, limits.streamMs);
    if (isTooLarge) return sendRefusal(call, tooLarge);
    if (answer === null) return call.clientGone ? void call.res.destroy() : sendRefusal(call, refuse('upstream_failed'));
    const { said } = answer;
    if ((answer.status !== 200 && answer.status !== 201) || !isRecord(said) || typeof said['id'] !== 'string') {
      if (answer.status < 400 || answer.status >= 500 || answer.status === 401 || !isRecord(said))
        return sendRefusal(call, refuse('upstream_failed'));
      call.errorCode = 'upstream_refused';
      return sendBody(call, answer.status, 'application/json', answer.text);
    }
    const expires = typeof said['expires_at'] === 'number' ? isoInstant(said['expires_at'] * 1_000) : null;
    const fileId = files.nextFileId();
    const kept = await files.keep({
      ...place,
      fileId,
      userId: caller.user.userId,
      tokenId: caller.token.tokenId,
      upstreamId: said['id'].slice(0, 200),
      filename: textOf(said['filename']).slice(0, 300),
      purpose: textOf(said['purpose']).slice(0, 64),
      bytes: typeof said['bytes'] === 'number' && Number.isSafeInteger(said['bytes']) && said['bytes'] >= 0 ? said['bytes'] : 0,
      at: isoInstant(deps.clock.now()),
      expiresAt: expires,
    });
    return isRefusal(kept) ? sendRefusal(call, kept) : sendJson(call, 200, { ...said, id: fileId });
  };

  const content = async (files: FileDesk, call: Call, file: OwnFile): Promise<Refusal | void> => {
    if (isKept(file)) {
      const bytes = await files.contentHere(file);
      return isRefusal(bytes) ? bytes : sendBody(call, 200, 'application/octet-stream', bytes);
    }
    const path = `/files/${encodeURIComponent(file.upstreamId)}/content`;
    const request = await placeRequest(files.asking, file, { method: 'GET', path, headers: { accept: '*/*' } });
    if (request === null) return refuse('upstream_failed');
    call.channelId = file.channelId;
    return passContent(deps, call, request);
  };

  const listed = async (files: FileDesk, call: Call, { token }: Caller): Promise<object | Refusal> => {
    const query = FilesQuery.safeParse(call.req.query);
    if (!query.success) return firstIssue(query.error);
    const { purpose = null, limit, order, after = null } = query.data;
    const now = isoInstant(deps.clock.now());
    const found = await files.lists.files(token.tokenId, { purpose, order, after, now, limit: limit + 1 });
    return openaiList(found.slice(0, limit).map(fileAnswer), found.length > limit);
  };

  const seen = async (files: FileDesk, file: OwnFile): Promise<Json | Refusal> => {
    if (isKept(file)) return keptAnswer(file);
    const answer = await askPlace(files.asking, file, { method: 'GET', path: `/files/${encodeURIComponent(file.upstreamId)}` });
    if (answer?.status === 404) return refuse('not_found', 'There is no such file.');
    return answer?.status === 200 && isRecord(answer.said) ? { ...answer.said, id: file.fileId } : fileAnswer(file);
  };

  const route = (
    name: string,
    answer: (files: FileDesk, call: Call, caller: Caller) => Promise<object | Refusal | void>,
    use?: KeyUse,
  ): RequestHandler => look(name, 'files', fromDesk(desk, NOWHERE, answer), use);
  const onFile = (name: string, answer: (files: FileDesk, call: Call, file: OwnFile) => Promise<Json | Refusal | void>): RequestHandler =>
    route(name, async (files, call, { token }) => {
      const file = await files.ownFile(token.tokenId, idIn(call.req));
      return isRefusal(file) ? file : answer(files, call, file);
    });

  router
    .route('/v1/files')
    .post(route(FILES, upload, 'spend'))
    .get(route(FILES, listed));
  router.get('/v1/files/:id/content', onFile(CONTENT, content));
  router
    .route('/v1/files/:id')
    .get(onFile(FILE, (files, _call, file) => seen(files, file)))
    .delete(
      onFile(FILE, async (files, _call, file) => {
        const forgotten = isKept(file) && deps.vectors !== null ? await deps.vectors.forgetFile(file.fileId) : null;
        if (forgotten !== null) return forgotten;
        const id: FileId = file.fileId;
        return (await files.deleteFile(file)) ?? { id, object: 'file', deleted: true };
      }),
    );
  for (const [path, name, allowed] of [
    ['/v1/files', FILES, 'GET or POST'],
    ['/v1/files/:id', FILE, 'GET or DELETE'],
    ['/v1/files/:id/content', CONTENT, 'GET'],
  ] as const)
    router.all(path, notThisMethod(allowed)(name));
};
