#!/usr/bin/env node
import { runServer } from './server/run-server.ts';

process.exit(await runServer(process.env));
