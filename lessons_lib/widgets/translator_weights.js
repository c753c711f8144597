import { siteAddress } from "./engine_start.js";

// Where the live translator gets its weights from: this site, a kernel, or a file.

const MAX_BYTES = 400e6;
const PATIENCE = 20_000; // milliseconds for a kernel to answer

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

/** The weights of the kernel's model of this number, as bytes; nobody waits for them after `signal`. */
export function fromKernel(model, number, signal) {
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
    model.send({ ask: "weights", model: number });
  });
}

/** A file that the reader chose. */
export async function fromFile(chosen) {
  if (chosen.size <= MAX_BYTES) return chosen.arrayBuffer();
  throw new Error(`${chosen.name} has ${(chosen.size / 1e6).toFixed()} MB, and this page reads ${MAX_BYTES / 1e6}`);
}
