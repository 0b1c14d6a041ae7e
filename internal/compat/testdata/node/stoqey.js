// @stoqey/ib, any version with IBApi: node stoqey.js PACKAGE HOST PORT CLIENT-ID
const { belief } = require('./belief.js');
const [pkg, host, port, clientId] = process.argv.slice(2);
const { IBApi, EventName } = require(pkg);
const ib = new IBApi({ host, port: Number(port), clientId: Number(clientId) });
const b = belief(() => ib.disconnect());
ib.on(EventName.connected, () => b.connected());
ib.on(EventName.disconnected, () => b.closed());
ib.on(EventName.nextValidId, () => b.got('id'));
ib.on(EventName.managedAccounts, () => b.got('accounts'));
ib.on(EventName.error, (err, code) => b.heard('error ' + code));
// Before 1.3 an info has no code, only a text.
ib.on(EventName.info, (msg, code) => b.heard(code === undefined ? 'an info without a code' : 'info ' + code));
ib.connect();
