#!/usr/bin/env node
import 'reflect-metadata';
import { runServer } from './server/run-server.ts';

process.exit(await runServer(process.env));
