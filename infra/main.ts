#!/usr/bin/env node
import './navigator.ts';
import { runCli } from '../gateways/cli/run-cli.ts';
import { endWhenUnread } from './command-line/end-when-unread.ts';
import { commandLineHost } from './command-line/host.ts';
import { tendHeapGrowth } from './heap-growth.ts';

tendHeapGrowth();
endWhenUnread(process.argv[2] !== 'start');
process.exit(await runCli(process.argv.slice(2), commandLineHost(process.env)));
