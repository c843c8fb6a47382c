import { findPostgresBinaries } from './postgres-binaries.ts';
import { startPostgres } from './postgres.ts';
import { dockerAnswers } from './postgres-docker.ts';
import { Client } from 'pg';
let t=performance.now(); const lap=(n:string)=>{console.log(n,(performance.now()-t).toFixed(0)); t=performance.now();};
findPostgresBinaries(); lap('find'); dockerAnswers(); lap('docker');
const s=await startPostgres(); lap('start'); const s2=await startPostgres(); lap('start2');
const c=new Client({connectionString:s.connectionString}); await c.connect(); lap('connect');
for (const st of ['WAL_LOG','FILE_COPY']) for (let i=0;i<4;i++) { await c.query(`create database ${st}${i} template template0 strategy ${st}`); lap(st); }
await c.query('drop database wal_log1'); lap('drop');
await c.end(); await s.stop(); await s2.stop();
