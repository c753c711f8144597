// The systems of page_training.py in one page: each trains on the same batches, and returns the losses.
const systems = {}; // name: {batches, step(batch) -> loss}
let [engine, given] = [null, null];

/** What all begin with: {settings, config, rates, parameters: [{name, shape, numbers}], batches: [[{source, target}]]}. */
window.begin = async (text, sizes, steps) => {
  engine = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  const { settings, config, model, task, random } = new engine.Training({ settings: sizes });
  const parameters = model.parameters.list.map(({ name, shape, value }) => ({ name, shape, numbers: [...value] }));
  const batch = () => Array.from({ length: settings.batch_size }, () => task.draw(random.data));
  const batches = Array.from({ length: steps }, batch);
  const rates = Array.from({ length: 10_000 }, (_, i) => engine.rateOf(i + 1, settings));
  given = { settings, config, rates, parameters, batches };
  return given;
};

/** A step on each batch. */
window.train = (name) => systems[name].batches.map(systems[name].step);

window.addEngine = (name, simd) => {
  const training = new engine.Training({ settings: given.settings, simd });
  const step = (batch) => {
    const slices = training.learn(batch);
    let slice = slices.next();
    while (!slice.done) slice = slices.next();
    return slice.value.loss;
  };
  systems[name] = { batches: given.batches, step };
};

/**
 * The playground's default model, of any size, in TensorFlow.js on its WebAssembly: the fastest way that we found. Its
 * product of two matrices has SIMD if neither is transposed by the product itself nor in a batch: all but attention's
 * are made so, forward and backward. The embedding is such a product, too, as the gradient of tf.gather has no kernel.
 * The optimizer moves one vector, not a tensor after the other.
 */
window.addTensorflow = async (name) => {
  tf.enableProdMode();
  tf.wasm.setWasmPaths(new URL("tfjs/", location).href);
  tf.wasm.setThreadsCount(1);
  await tf.setBackend("wasm");
  const { settings, config } = given;
  const { d_model, n_heads, vocab_size } = config;
  const d_head = d_model / n_heads;

  // Parameters: matrices the other way round, as TensorFlow has them, those with the same input in one.
  const together = {};
  for (const { name, shape, numbers } of given.parameters) {
    const key = name
      .replace(/\.attention\.(query|key|value)\./, ".attention.inputs.")
      .replace(/\.cross_attention\.(key|value)\./, ".cross_attention.source.");
    const matrix = tf.tensor(numbers, shape);
    (together[key] ??= []).push(shape.length === 2 && key !== "embedding.weight" ? matrix.transpose() : matrix);
  }
  const names = Object.keys(together);
  const start = names.map((one) => tf.concat(together[one], -1));
  let values = tf.concat(start.map((one) => one.flatten()));
  /** The tensors of the vector; tf.split would copy the whole of it for each. */
  const partsOf = (numbers) => {
    let end = 0;
    return start.map(({ shape, size }) => tf.tensor(numbers.subarray(end, (end += size)), shape));
  };
  let moments = [tf.zerosLike(values), tf.zerosLike(values)];
  let number = 0;

  const linear = tf.customGrad((x, weight, bias, save) => {
    save([x, weight]);
    return {
      value: tf.fused.matMul({ a: x, b: weight, bias }),
      gradFunc: (dy, [x, weight]) => [dy.matMul(weight.transpose()), x.transpose().matMul(dy), dy.sum(0)],
    };
  });
  const product = tf.customGrad((x, weight, save) => {
    save([x, weight]);
    return {
      value: x.matMul(weight),
      gradFunc: (dy, [x, weight]) => [dy.matMul(weight.transpose()), x.transpose().matMul(dy)],
    };
  });
  const layerNorm = tf.customGrad((x, gamma, beta, save) => {
    const centred = x.sub(x.mean(-1, true));
    const scale = centred.square().mean(-1, true).add(1e-5).rsqrt();
    const normal = centred.mul(scale);
    save([normal, scale, gamma]);
    return {
      value: normal.mul(gamma).add(beta),
      gradFunc: (dy, [normal, scale, gamma]) => {
        const g = dy.mul(gamma);
        const along = normal.mul(g.mul(normal).mean(-1, true));
        return [g.sub(g.mean(-1, true)).sub(along).mul(scale), dy.mul(normal).sum(0), dy.sum(0)];
      },
    };
  });

  const table = engine.sinusoidalTable({ floats: (n) => new Float32Array(n) }, config.max_length, d_model);
  const places = tf.tensor(table, [config.max_length, d_model]);
  const padded = (rows, length) => rows.map((row) => [...row, ...Array(length - row.length).fill(engine.PAD)]);
  const batches = given.batches.map((examples) => {
    const sources = examples.map(({ source }) => [...source, engine.EOS]);
    const before = examples.map(({ target }) => [engine.BOS, ...target]);
    const asked = examples.map(({ target }) => [...target, engine.EOS]);
    const [S, T] = [sources, before].map((rows) => Math.max(...rows.map(({ length }) => length)));
    const [src, tgt, answers] = [padded(sources, S), padded(before, T), padded(asked, T)];
    const hidden = (one) => (one === engine.PAD ? -1e9 : 0);
    const B = examples.length;
    const ids = (rows) => tf.tensor1d(rows.flat(), "int32");
    return {
      ...{ B, S, T, src: ids(src), tgt: ids(tgt) },
      sourceMask: tf.tensor(src.flat().map(hidden), [B, 1, 1, S]),
      causalMask: tf.tensor(
        Array.from({ length: T * T }, (_, i) => (i % T > i / T ? -1e9 : 0)),
        [T, T],
      ),
      answers: ids(answers.map((row) => row.map((one) => (one === engine.PAD ? -1 : one)))), // −1: a row of zeros
      tokens: asked.flat().length,
    };
  });

  const lossOf = ({ B, S, T, src, tgt, sourceMask, causalMask, answers, tokens }, parameters) => {
    const w = Object.fromEntries(names.map((one, i) => [one, parameters[i]]));
    const through = (x, one) => linear(x, w[`${one}.weight`], w[`${one}.bias`]);
    const norm = (x, one) => layerNorm(x, w[`${one}.gamma`], w[`${one}.beta`]);
    const enter = (ids, length) =>
      product(tf.oneHot(ids, vocab_size), w["embedding.weight"])
        .mul(Math.sqrt(d_model))
        .reshape([B, length, d_model])
        .add(places.slice(0, length))
        .reshape([B * length, d_model]);
    const heads = (x, length) => x.reshape([B, length, n_heads, d_head]).transpose([0, 2, 1, 3]);
    const attend = ([q, k, v], mask, one, queries, keys) => {
      const scores = heads(q.mul(1 / Math.sqrt(d_head)), queries).matMul(heads(k, keys), false, true);
      const mixed = scores.add(mask).softmax().matMul(heads(v, keys));
      return through(mixed.transpose([0, 2, 1, 3]).reshape([B * queries, d_model]), `${one}.output`);
    };
    const layer = (x, one, mask, length, memory) => {
      const attention = `${one}.attention`;
      const inputs = through(norm(x, `${attention}_residual.norm`), `${attention}.inputs`);
      x = x.add(attend(inputs.split(3, 1), mask, attention, length, length));
      if (memory) {
        const cross = `${one}.cross_attention`;
        const q = through(norm(x, `${cross}_residual.norm`), `${cross}.query`);
        const [k, v] = through(memory, `${cross}.source`).split(2, 1);
        x = x.add(attend([q, k, v], sourceMask, cross, length, S));
      }
      const network = `${one}.feed_forward`;
      const hidden = through(norm(x, `${network}_residual.norm`), `${network}.expand`).relu();
      return x.add(through(hidden, `${network}.contract`));
    };
    const stack = (x, side, mask, length, memory) => {
      for (let i = 0; i < config[`n_${side}_layers`]; i++) x = layer(x, `${side}.layers.${i}`, mask, length, memory);
      return norm(x, `${side}.norm`);
    };
    const memory = stack(enter(src, S), "encoder", sourceMask, S);
    const hidden = stack(enter(tgt, T), "decoder", causalMask, T, memory);
    const logits = product(hidden, w["embedding.weight"].transpose());
    return logits
      .logSoftmax()
      .mul(tf.oneHot(answers, vocab_size))
      .sum()
      .mul(-1 / tokens);
  };

  const { clip_norm, betas: [first, second], eps, weight_decay } = settings; // prettier-ignore
  const update = (gradient) => {
    const norm = gradient.square().sum().sqrt();
    const g = gradient.mul(tf.minimum(1, tf.div(clip_norm, norm.add(1e-6))));
    const rate = given.rates[number++];
    const [m, v] = moments;
    const nextM = m.mul(first).add(g.mul(1 - first));
    const nextV = v.mul(second).add(g.square().mul(1 - second));
    const root = nextV.mul(1 / (1 - second ** number)).sqrt().add(eps); // prettier-ignore
    const next = values.mul(1 - rate * weight_decay).sub(nextM.div(root).mul(rate / (1 - first ** number)));
    return [next, nextM, nextV];
  };
  const step = (batch) => {
    const before = [values, ...moments];
    const [loss, ...after] = tf.tidy(() => {
      const { value, grads } = tf.valueAndGrads((...all) => lossOf(batch, all))(partsOf(values.dataSync()));
      return [value, ...update(tf.concat(grads.map((one) => one.flatten())))];
    });
    [values, ...moments] = after;
    const [found] = loss.dataSync();
    tf.dispose([loss, ...before]);
    return found;
  };
  systems[name] = { batches, step };
};
