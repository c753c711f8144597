// The systems of page.py in one page: each translates a source with `beam` beams, and returns the best one's tokens.
const systems = {};

/** An engine of the page, from its text. */
window.addEngine = async (name, text, simd) => {
  const engine = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  const data = await (await fetch("model.bin")).arrayBuffer();
  const model = new engine.Transformer(engine.readModel(data), simd);
  systems[name] = (source, beam) => {
    const steps = engine.search(model, source, beam);
    let one = steps.next();
    while (!one.done) one = steps.next();
    return one.value[0].tokens;
  };
};

/** onnxruntime-web with the programs of `lessons export`. */
window.addOnnx = async (name, config, width) => {
  const ort = await import(new URL("ort/ort.wasm.min.mjs", location).href);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL("ort/", location).href;
  const open = (part) => ort.InferenceSession.create(`${part}.onnx`, { executionProviders: ["wasm"] });
  const [encoder, step] = [await open("encoder"), await open("step")];
  const run = async (session, values) => {
    const found = await session.run(Object.fromEntries(session.inputNames.map((key, i) => [key, values[i]])));
    return session.outputNames.map((key) => found[key]);
  };
  const tokensOf = (rows) => {
    const ids = BigInt64Array.from(rows.flat(), BigInt);
    return new ort.Tensor("int64", ids, [rows.length, rows[0].length]);
  };
  /** The rows `from` of a tensor, one behind the other. */
  const picked = (tensor, from) => {
    const length = tensor.data.length / tensor.dims[0];
    const data = new Float32Array(from.length * length);
    from.forEach((row, i) => data.set(tensor.data.subarray(row * length, (row + 1) * length), i * length));
    return new ort.Tensor("float32", data, [from.length, ...tensor.dims.slice(1)]);
  };
  systems[name] = async (source, beam) => {
    const read = await run(encoder, [tokensOf([source])]);
    const heads = config.n_kv_heads ?? config.n_heads;
    let past = read.map(() => new ort.Tensor("float32", new Float32Array(0), [1, heads, 0, width]));
    let [beams, pairs] = [[{ tokens: [], score: 0 }], read];
    const limit = Math.min(config.max_length, 2 * source.length + 10);
    for (let t = 0; t < limit; t++) {
      const rows = beams.length;
      const mask = new ort.Tensor("bool", new Uint8Array(rows * source.length).fill(1), [rows, 1, 1, source.length]);
      const last = tokensOf(beams.map(({ tokens }) => [tokens.at(-1) ?? config.bos_id]));
      const [logits, ...longer] = await run(step, [last, mask, ...pairs, ...past]);
      const size = logits.dims[1];
      const children = beams.flatMap(({ tokens, score }, row) => {
        const own = logits.data.subarray(row * size, (row + 1) * size);
        own[config.pad_id] = own[config.bos_id] = -Infinity;
        const logSum = beam > 1 ? logSumExp(own) : 0;
        return largest(own, beam).map((token) => ({ row, tokens, token, score: score + own[token] - logSum }));
      });
      const best = children.sort((a, b) => b.score - a.score).slice(0, beam);
      beams = best.map(({ tokens, token, score }) => ({ tokens: [...tokens, token], score }));
      const from = best.map(({ row }) => row);
      const stays = from.length === rows && from.every((row, i) => row === i);
      past = stays ? longer : longer.map((tensor) => picked(tensor, from));
      if (from.length !== rows) pairs = read.map((tensor) => picked(tensor, from.map(() => 0))); // prettier-ignore
    }
    return beams[0].tokens;
  };
};

function logSumExp(numbers) {
  let [top, sum] = [-Infinity, 0];
  for (const one of numbers) if (one > top) top = one;
  for (let i = 0; i < numbers.length; i++) sum += Math.exp(numbers[i] - top);
  return top + Math.log(sum);
}

/** Indices of the `count` largest numbers, the largest first. */
function largest(numbers, count) {
  const best = [];
  for (let i = 0; i < numbers.length; i++) {
    if (best.length === count && numbers[i] <= numbers[best[count - 1]]) continue;
    best.push(i);
    best.sort((a, b) => numbers[b] - numbers[a]);
    best.length = Math.min(best.length, count);
  }
  return best;
}

/** Milliseconds of each system in each round; the order turns around, and what compiles is warm before the first. */
window.takeTurns = async (source, beam, rounds) => {
  const names = Object.keys(systems);
  const found = Object.fromEntries(names.map((name) => [name, { milliseconds: [], tokens: [] }]));
  for (let round = -2; round < rounds; round++)
    for (const name of round % 2 ? names : [...names].reverse()) {
      const begin = performance.now();
      found[name].tokens = await systems[name](source, beam);
      if (round >= 0) found[name].milliseconds.push(performance.now() - begin);
    }
  return found;
};
