import { expect } from 'chai';
import OpenAI, { toFile } from 'openai';
import { KEY } from '../relay-harness.ts';
import { startFileRelay, type FileRig } from './file-rig.ts';

describe('files that are kept here', () => {
  let rig: FileRig;
  let client: OpenAI;
  before(async () => {
    rig = await startFileRelay();
    client = new OpenAI({ apiKey: KEY, baseURL: rig.relay.baseUrl, maxRetries: 0 });
  });
  after(() => rig.close());

  const codeOf = async (work: Promise<unknown>): Promise<unknown> => {
    const error: unknown = await work.then(
      () => null,
      (cause: unknown) => cause,
    );
    return error instanceof OpenAI.APIError ? [error.status, error.code] : error;
  };

  it('take a file for which no channel is, give it back to the byte, and list it', async () => {
    const bytes = Buffer.from([0, 1, 2, 0x0d, 0x0a, 0x2d, 0x2d, 255]);
    const made = await client.files.create({ file: await toFile(bytes, 'notes.md'), purpose: 'assistants' });
    expect(made).to.include({ object: 'file', bytes: bytes.length, filename: 'notes.md', purpose: 'assistants', status: 'processed' });
    expect(await client.files.retrieve(made.id)).to.deep.equal(made);
    expect(Buffer.from(await (await client.files.content(made.id)).arrayBuffer())).to.deep.equal(bytes);
    expect((await client.files.list()).data).to.deep.equal([made]);
  });

  it('hold nothing of a file that is deleted', async () => {
    const made = await client.files.create({ file: await toFile(Buffer.from('gone'), 'a.txt'), purpose: 'user_data' });
    expect(rig.blobs.held.has(`file:${made.id} 0`)).to.equal(true);
    expect(await client.files.delete(made.id)).to.deep.equal({ id: made.id, object: 'file', deleted: true });
    expect(rig.blobs.held.has(`file:${made.id} 0`)).to.equal(false);
    expect(await codeOf(client.files.retrieve(made.id))).to.deep.equal([404, 'not_found']);
    expect(await codeOf(Promise.resolve(client.files.content(made.id)))).to.deep.equal([404, 'not_found']);
  });

  it('refuse what is too large by itself or together with what is kept already, and other fields', async () => {
    const file = async (bytes: number) => toFile(Buffer.alloc(bytes, 'x'), 'large.txt');
    // The purpose stands first, so that it is known.
    expect(await codeOf(client.files.create({ purpose: 'assistants', file: await file(200_000) }))).to.deep.equal([413, 'body_too_large']);
    await client.files.create({ purpose: 'assistants', file: await file(90_000) });
    await client.files.create({ purpose: 'assistants', file: await file(90_000) });
    expect(await codeOf(client.files.create({ purpose: 'assistants', file: await file(90_000) }))).to.deep.equal([400, 'invalid_request']);
    const expiring = { purpose: 'assistants', file: await file(1), expires_after: { anchor: 'created_at', seconds: 3_600 } } as const;
    expect(await codeOf(client.files.create(expiring))).to.deep.equal([400, 'invalid_request']);
  });

  it('give a file to an upstream whose purpose comes behind more than is kept', async () => {
    const large = await toFile(Buffer.alloc(300_000, 'x'), 'large.txt');
    expect(await codeOf(client.files.create({ file: large, purpose: 'assistants' }))).to.deep.equal([404, 'not_found']);
  });

  it('make no batch', async () => {
    const made = await client.files.create({ file: await toFile(Buffer.from('{}'), 'a.jsonl'), purpose: 'user_data' });
    const asked = { input_file_id: made.id, endpoint: '/v1/embeddings', completion_window: '24h' } as const;
    expect(await codeOf(client.batches.create(asked))).to.deep.equal([400, 'invalid_request']);
  });
});
