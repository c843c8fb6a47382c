#!/usr/bin/env node
import './navigator.ts';
import { runCli } from '../gateways/cli/run-cli.ts';
import { commandLineHost } from './command-line/host.ts';
import { tendHeapGrowth } from './heap-growth.ts';

tendHeapGrowth();
process.exit(await runCli(process.argv.slice(2), commandLineHost(process.env)));
