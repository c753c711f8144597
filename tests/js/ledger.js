// What is under way on a page since `ledger.start()`: timers, observers, workers, addresses of blobs, and listeners on
// what outlives a view. `ledger.left()` names it all, so that a test can ask what a view leaves behind when it closes.
window.ledger = (() => {
  const open = new Map();
  let listeners = [];
  const lines = (what) => String(what).replace(/\s+/g, " ").slice(0, 80);

  for (const [start, stop] of [
    ["setTimeout", "clearTimeout"],
    ["setInterval", "clearInterval"],
    ["requestAnimationFrame", "cancelAnimationFrame"],
  ]) {
    const [begin, end] = [window[start].bind(window), window[stop].bind(window)];
    window[start] = (callback, ...rest) => {
      const run = (...given) => {
        if (start !== "setInterval") open.delete(`${start} ${id}`);
        callback(...given);
      };
      const id = begin(run, ...rest);
      open.set(`${start} ${id}`, `${start}: ${lines(callback)}`);
      return id;
    };
    window[stop] = (id) => {
      open.delete(`${start} ${id}`);
      end(id);
    };
  }

  for (const name of ["ResizeObserver", "MutationObserver", "IntersectionObserver", "PerformanceObserver"])
    window[name] = class extends window[name] {
      observe(...given) {
        open.set(this, name);
        super.observe(...given);
      }
      disconnect() {
        open.delete(this);
        super.disconnect();
      }
    };

  window.Worker = class extends Worker {
    constructor(...given) {
      super(...given);
      open.set(this, "Worker");
    }
    terminate() {
      open.delete(this);
      super.terminate();
    }
  };

  const { createObjectURL, revokeObjectURL } = URL;
  URL.createObjectURL = (blob) => {
    const url = createObjectURL(blob);
    open.set(url, "URL.createObjectURL");
    return url;
  };
  URL.revokeObjectURL = (url) => {
    open.delete(url);
    revokeObjectURL(url);
  };

  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const captures = (options) => Boolean(typeof options === "object" ? options?.capture : options);
  const forget = (target, type, callback, capture) => {
    listeners = listeners.filter(
      (one) => one.target !== target || one.type !== type || one.callback !== callback || one.capture !== capture,
    );
  };
  EventTarget.prototype.addEventListener = function (type, callback, options) {
    const [target, capture] = [this ?? window, captures(options)];
    listeners.push({ target, type, callback, capture });
    const gone = () => forget(target, type, callback, capture);
    if (options?.once) addEventListener.call(target, type, gone, { once: true });
    if (options?.signal) addEventListener.call(options.signal, "abort", gone);
    addEventListener.call(target, type, callback, options);
  };
  EventTarget.prototype.removeEventListener = function (type, callback, options) {
    forget(this ?? window, type, callback, captures(options));
    removeEventListener.call(this ?? window, type, callback, options);
  };
  const outlives = (target) => (target instanceof Node ? target.isConnected : !(target instanceof AbortSignal));

  return {
    start() {
      open.clear();
      listeners = [];
    },
    left: () => [
      ...open.values(),
      ...listeners.filter(({ target }) => outlives(target)).map(({ target, type }) => `${type} of ${lines(target)}`),
    ],
  };
})();
