import { writePrivateFile } from '../home/private-file.ts';

/** What a newcomer needs to begin, known once and never again. */
export interface FirstRunFile {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly adminEmail: string;
  readonly adminPassword: string;
}

export const writeFirstRun = (file: string, firstRun: FirstRunFile): Promise<void> => writePrivateFile(file, firstRun);
