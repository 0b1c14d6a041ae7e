// ib-tws-api: node ib-tws-api.mjs PACKAGE HOST PORT CLIENT-ID
import { createRequire } from 'node:module';
import { Client } from 'ib-tws-api';
const { belief } = createRequire(import.meta.url)('./belief.js');
const [, host, port, clientId] = process.argv.slice(2);
const api = new Client({ host, port: Number(port), clientId: Number(clientId) });
// A program of it has no event to listen to and no call to disconnect: its connect
// returns once both messages came, and an end is the program's own.
const b = belief(() => {});
api.connect().then(() => { b.connected(); b.got('id'); b.got('accounts'); }, (e) => { b.heard('error ' + (e.code || e.name)); b.failed(); });
