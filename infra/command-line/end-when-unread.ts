/**
 * Nobody may read an answer to its end (`| head`): what is left of it is not worth writing, and no fault to be shown a stack of. A
 * command ends with 1, since it was not done; a server, which is not there to be read, goes on.
 */
export const endWhenUnread = (ends: boolean): void => {
  for (const output of [process.stdout, process.stderr])
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (ends) process.exit(1);
    });
};
