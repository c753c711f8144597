// Where the live translator gets its engine and its weights from: a worker; this site, a kernel, or a file.

const SITE_FILE = "_static/course-translator.bin"; // what tools/build_book.py puts on the site
const SITE_ENGINE = "_static/course-engine.js"; // and book/_sphinx/course_site.py, which takes it out of the pages
const MAX_BYTES = 400e6;
const PATIENCE = 20_000; // milliseconds for a kernel to answer

/** The text of the engine: of this module, or of the site's script, which gives it to `courseEngine`. */
export async function engineText() {
  if (ENGINE || globalThis.courseEngine) return ENGINE ?? globalThis.courseEngine;
  const script = Object.assign(document.createElement("script"), { src: siteAddress(SITE_ENGINE) });
  document.head.append(script);
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${SITE_ENGINE} did not come`));
  }).finally(() => script.remove());
  return globalThis.courseEngine;
}

/** An engine of this text: `send` it messages, `hear` gets its answers. Where no worker may start, it runs on the page's thread. */
export function startEngine(text, hear) {
  const urls = [];
  const address = (source) => {
    urls.push(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    return urls.at(-1);
  };
  let [answered, last, here, worker] = [false, null, null, null];
  const onPage = () => {
    here ??= import(address(text)).then(({ serve }) => serve(hear));
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

/** The address of a file of the site, its weights; a notebook has none. */
export function siteAddress(file = SITE_FILE) {
  const { content_root } = document.documentElement.dataset; // of Sphinx: the way from this page to the site's root
  return content_root === undefined ? null : new URL(content_root + file, document.baseURI).href;
}

/** The weights of the site; `progress(share)` on the way, undefined where nobody knows the size. */
export async function fromSite(address, progress, signal) {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const total = response.headers.has("content-encoding") ? 0 : Number(response.headers.get("content-length"));
  const [chunks, reader] = [[], response.body.getReader()];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value);
    size += part.value.length;
    progress(total ? size / total : undefined);
  }
  return new Blob(chunks).arrayBuffer();
}

/** The weights of the kernel, which answers with bytes; nobody waits for them after `signal`. */
export function fromKernel(model, signal) {
  return new Promise((resolve, reject) => {
    const end = (settle, value) => {
      clearTimeout(timer);
      model.off("msg:custom", take);
      settle(value);
    };
    const take = ({ failed }, [bytes] = []) => {
      if (failed) end(reject, new Error(failed));
      else end(resolve, bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    };
    const timer = setTimeout(() => end(reject, new Error("no kernel answers; run the cell first")), PATIENCE);
    signal.addEventListener("abort", () => end(reject, signal.reason));
    model.on("msg:custom", take);
    model.send({ ask: "weights" });
  });
}

/** A file that the reader chose. */
export async function fromFile(chosen) {
  if (chosen.size <= MAX_BYTES) return chosen.arrayBuffer();
  throw new Error(`${chosen.name} has ${(chosen.size / 1e6).toFixed()} MB, and this page reads ${MAX_BYTES / 1e6}`);
}
