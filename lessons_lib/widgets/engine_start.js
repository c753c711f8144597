// Starts an engine, a text of JavaScript, in a thread of its own; and where the site has it.

const SITE_FOLDER = "_static/"; // where tools/build_book.py and book/_sphinx/course_site.py put what is loaded later

/** The address of a file of weights on the site; a notebook has none. */
export function siteAddress(file) {
  const { content_root } = document.documentElement.dataset; // of Sphinx: the way from this page to the site's root
  return content_root === undefined ? null : new URL(content_root + SITE_FOLDER + file, document.baseURI).href;
}

/** The text of this module's engine. The site takes it out of its pages, into a script that is loaded when it is needed. */
export async function engineText() {
  if (typeof ENGINE === "string") return ENGINE;
  if (globalThis.courseEngines?.[ENGINE.file]) return globalThis.courseEngines[ENGINE.file];
  const script = Object.assign(document.createElement("script"), { src: siteAddress(ENGINE.file) });
  document.head.append(script);
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${ENGINE.file} did not come`));
  }).finally(() => script.remove());
  return globalThis.courseEngines[ENGINE.file];
}

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
      here?.then((take) => take({ stop: true }));
      urls.forEach((url) => URL.revokeObjectURL(url));
    },
  };
}
