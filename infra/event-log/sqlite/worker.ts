import { parentPort, workerData } from 'node:worker_threads';
import { LogFile } from './log-file.ts';
import type {
  FlatAppends,
  RequestName,
  Requests,
  StepRequest,
  StreamRequest,
  WorkerReply,
  WorkerRequest,
  WorkerSettings,
} from './messages.ts';

const port = parentPort;
if (port === null) throw new Error('This module is the entry of a worker thread.');

const settings = workerData as WorkerSettings;
let file: LogFile | undefined;

const answer = ({ name, asked }: WorkerRequest): Requests[RequestName]['answer'] => {
  if (name === 'close') {
    file?.close();
    port.close();
    return null;
  }
  file ??= new LogFile(settings);
  switch (name) {
    case 'append':
      return file.append(asked as FlatAppends);
    case 'step':
      return file.step(asked as StepRequest);
    case 'stream':
      return file.stream(asked as StreamRequest);
    case 'head':
      return file.head();
  }
};

port.on('message', (request: WorkerRequest) => {
  let reply: WorkerReply;
  try {
    reply = { id: request.id, answer: answer(request) };
  } catch (thrown) {
    // After a failed write or sync nothing that the connection remembers can be relied on: the next request opens the file anew.
    file?.close();
    file = undefined;
    // The package's own errors are none to the structured clone, which would send them as empty objects.
    reply = { id: request.id, error: new Error(thrown instanceof Error ? thrown.message : String(thrown)) };
  }
  port.postMessage(reply);
});
