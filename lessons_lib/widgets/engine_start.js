// Starts an engine, a text of JavaScript, in a thread of its own.

/**
 * An engine of this text, whose function `serve` takes the messages: `send` it messages, `hear` gets its answers. Where no
 * worker may start, it runs on the page's thread.
 */
export function startEngine(text, serve, hear) {
  const urls = [];
  const address = (source) => {
    urls.push(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    return urls.at(-1);
  };
  let [answered, last, here, worker] = [false, null, null, null];
  const onPage = () => {
    here ??= import(address(text)).then((module) => module[serve](hear));
    if (last) here.then((take) => take(last));
  };
  try {
    worker = new Worker(address(text.replace(/^export /gm, ""))); // no module: a page without an origin has none
    worker.onmessage = ({ data }) => {
      answered = true;
      hear(data);
    };
    worker.onerror = (event) => (answered ? hear({ failed: event.message }) : onPage());
  } catch {
    onPage();
  }
  return {
    send(message) {
      last = message;
      if (here) here.then((take) => take(message));
      else worker.postMessage(message);
    },
    close() {
      worker?.terminate();
      urls.forEach((url) => URL.revokeObjectURL(url));
    },
  };
}
