#!/usr/bin/env node
import './heap-growth.ts';
import './navigator.ts';
import { runCli } from '../gateways/cli/run-cli.ts';
import { commandLineHost } from './command-line/host.ts';

process.exit(await runCli(process.argv.slice(2), commandLineHost(process.env)));
