#!/usr/bin/env node
import { runCli } from '../gateways/cli/run-cli.ts';
import { commandLineHost } from './cli/command-line-host.ts';
import { runServer } from './server/run-server.ts';

process.exit(
  await runCli(
    process.argv.slice(2),
    commandLineHost(process.env, () => runServer(process.env)),
  ),
);
