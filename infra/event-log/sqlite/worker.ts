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
let file: LogFile | undefined = new LogFile(settings);

const answer = ({ name, asked }: WorkerRequest): Requests[RequestName]['answer'] => {
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
    case 'close':
      file.close();
      port.close();
      return null;
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
    reply = { id: request.id, error: thrown instanceof Error ? new Error(thrown.message) : new Error(String(thrown)) };
  }
  port.postMessage(reply);
});
