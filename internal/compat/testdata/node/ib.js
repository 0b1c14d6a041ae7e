// ib, and the @stoqey/ib that grew out of it: node ib.js PACKAGE HOST PORT CLIENT-ID
const { belief } = require('./belief.js');
const [pkg, host, port, clientId] = process.argv.slice(2);
const lib = require(pkg);
const IB = lib.default || lib;
const ib = new IB({ host, port: Number(port), clientId: Number(clientId) });
const b = belief(() => ib.disconnect());
ib.on('connected', () => b.connected());
ib.on('disconnected', () => b.closed());
ib.on('nextValidId', () => b.got('id'));
ib.on('managedAccounts', () => b.got('accounts'));
ib.on('error', (err, data) => b.heard('error ' + ((data && data.code) || err.code || '"' + err.message + '"')));
ib.connect();
