// What every driver reports: one line of JSON, when the client's story is over.
// Its story is over when it was told of an end, when it was ready for a while and
// left, or when its patience is.
const patience = Number(process.env.PATIENCE_MS);
const linger = Number(process.env.LINGER_MS);

// After an end or an error a client may hear more, for this long.
const moment = 300;

exports.belief = function (leave) {
  const b = { connected: false, ready: false, heard: [], ended: '' };
  const got = new Set();
  let over = false;
  let ending = false; // whoever was told of the end does not leave by itself
  const end = (how) => {
    ending = true;
    setTimeout(() => report(how), moment);
  };
  const report = (ended) => {
    if (over) return;
    over = true;
    b.ended = ended;
    process.stdout.write(JSON.stringify(b) + '\n', () => process.exit(0));
  };
  setTimeout(() => report('waits'), patience);
  process.on('uncaughtException', (e) => {
    b.heard.push('uncaught ' + (e.code || e.name));
    report('died');
  });
  process.on('unhandledRejection', (e) => {
    b.heard.push('unhandled ' + (e && e.code ? e.code : 'rejection'));
    report('died');
  });
  return {
    connected() { b.connected = true; },
    got(what) {
      got.add(what);
      if (b.ready || !got.has('id') || !got.has('accounts')) return;
      b.ready = true;
      setTimeout(() => {
        if (over || ending) return;
        try { leave(); } catch (e) { b.heard.push('cannot leave'); }
        report('left');
      }, linger);
    },
    heard(what) { if (!b.heard.includes(what)) b.heard.push(what); },
    closed() { end('closed'); },
    failed() { end('failed'); },
  };
};
