import { ACTIVATIONS, known, linear, NORMS, softmax } from "./numbers.js";
import { positionsOf } from "./positions.js";

// The encoder–decoder of lessons_lib/transformer.py, one token at a time. Keys and values of what was read or written
// stay in a cache: a list of vectors a layer, so that beams which begin alike share them.

/** The model of a file that `readModel` read. */
export class Transformer {
  constructor({ config, tensors }) {
    this.config = config;
    this.norm = known(NORMS, "norm_type", config.norm_type);
    this.activation = known(ACTIVATIONS, "activation", config.activation);
    this.width = config.d_head ?? config.d_model / config.n_heads;
    this.group = config.n_heads / (config.n_kv_heads ?? config.n_heads);
    const normOf = (name) => ({ gamma: tensors.get(`${name}.gamma`), beta: tensors.get(`${name}.beta`) });
    const sublayer = (name, ...parts) => ({
      norm: normOf(`${name}_residual.norm`),
      ...Object.fromEntries(
        parts.map((part) => {
          const [weight, bias] = ["weight", "bias"].map((kind) => tensors.get(`${name}.${part}.${kind}`));
          return [part, { weight, bias }];
        }),
      ),
    });
    const attention = (name) => sublayer(name, "query", "key", "value", "output");
    const layer = (name) => ({
      attention: attention(`${name}.attention`),
      cross: attention(`${name}.cross_attention`), // the decoder's
      feedForward: sublayer(`${name}.feed_forward`, "expand", "gate", "contract"),
    });
    [this.encoder, this.decoder] = ["encoder", "decoder"].map((stack) => ({
      positions: positionsOf(config, tensors, stack),
      layers: Array.from({ length: config[`n_${stack}_layers`] }, (_, i) => layer(`${stack}.layers.${i}`)),
      norm: config.norm === "pre" ? normOf(`${stack}.norm`) : null,
      embeddingNorm: config.embedding_norm ? normOf(`${stack}.embedding_norm`) : null,
    }));
    this.embedding = tensors.get("embedding.weight");
    this.output = config.tied ? this.embedding : tensors.get("output.weight");
  }

  /** The source, read: a vector a token. */
  encode(tokens) {
    let xs = tokens.map((token, t) => this.#enter(this.encoder, token, t));
    for (const { attention, feedForward } of this.encoder.layers) {
      xs = this.#residual(xs, attention.norm, (ys) => {
        const pairs = ys.map((y, t) => this.#keyValue(attention, y, this.encoder.positions, t));
        return ys.map((y, t) => this.#attend(attention, y, pairs, this.encoder.positions, t).output);
      });
      xs = this.#residual(xs, feedForward.norm, (ys) => ys.map((y) => this.#feedForward(feedForward, y)));
    }
    return xs.map((x) => this.#leave(this.encoder, x));
  }

  /** A decoder that has written nothing: for each layer its own past, and keys and values of the source. */
  start(memory) {
    return {
      length: 0,
      past: this.decoder.layers.map(() => []),
      source: this.decoder.layers.map(({ cross }) => memory.map((x) => this.#keyValue(cross, x, {}, 0))),
    };
  }

  /** The same decoder once more, to go on another way. */
  fork(state) {
    return { ...state, past: state.past.map((pairs) => [...pairs]) };
  }

  /** One token further: logits of the next, and where each layer's heads looked in the source, [layer][head]. */
  step(token, state) {
    const { positions, layers } = this.decoder;
    const t = state.length++;
    const looked = [];
    let xs = [this.#enter(this.decoder, token, t)];
    layers.forEach(({ attention, cross, feedForward }, i) => {
      xs = this.#residual(xs, attention.norm, ([y]) => {
        state.past[i].push(this.#keyValue(attention, y, positions, t));
        return [this.#attend(attention, y, state.past[i], positions, t).output];
      });
      xs = this.#residual(xs, cross.norm, ([y]) => {
        const { output, weights } = this.#attend(cross, y, state.source[i], {}, t);
        looked.push(weights);
        return [output];
      });
      xs = this.#residual(xs, feedForward.norm, ([y]) => [this.#feedForward(feedForward, y)]);
    });
    return { logits: linear(this.#leave(this.decoder, xs[0]), this.output), looked };
  }

  #enter({ positions, embeddingNorm }, token, t) {
    const { d_model: width, scaled, norm_eps } = this.config;
    const scale = scaled ? Math.sqrt(width) : 1;
    const x = this.embedding.data.slice(token * width, (token + 1) * width).map((one) => one * scale);
    const placed = positions.add ? positions.add(x, t) : x;
    return embeddingNorm ? this.norm(placed, embeddingNorm, norm_eps) : placed;
  }

  #leave(stack, x) {
    return stack.norm ? this.norm(x, stack.norm, this.config.norm_eps) : x;
  }

  /** x + f(norm(x)), or norm(x + f(x)) as published. */
  #residual(xs, weights, sublayer) {
    const { norm: place, norm_eps } = this.config;
    const normed = (x) => this.norm(x, weights, norm_eps);
    const added = sublayer(place === "pre" ? xs.map(normed) : xs).map((y, t) => y.map((one, i) => one + xs[t][i]));
    return place === "pre" ? added : added.map(normed);
  }

  #keyValue({ key, value }, x, { rotate }, t) {
    const k = linear(x, key.weight, key.bias);
    return { key: rotate ? rotate(k, t) : k, value: linear(x, value.weight, value.bias) };
  }

  /** softmax(q·k / √K + bias) v in every head: the heads mixed, and their weights. */
  #attend({ query, output }, x, pairs, { rotate, bias }, t) {
    const { n_heads: heads } = this.config;
    const { width, group } = this;
    const q = rotate ? rotate(linear(x, query.weight, query.bias), t) : linear(x, query.weight, query.bias);
    const mixed = new Float32Array(heads * width);
    const weights = [];
    for (let h = 0; h < heads; h++) {
      const [from, shared] = [h * width, Math.floor(h / group) * width];
      const scores = new Float32Array(pairs.length);
      for (let s = 0; s < pairs.length; s++) {
        const { key } = pairs[s];
        let sum = 0;
        for (let i = 0; i < width; i++) sum += q[from + i] * key[shared + i];
        scores[s] = sum / Math.sqrt(width) + (bias ? bias(h, s - t) : 0);
      }
      weights.push(softmax(scores));
      for (let s = 0; s < pairs.length; s++) {
        const [{ value }, weight] = [pairs[s], scores[s]];
        for (let i = 0; i < width; i++) mixed[from + i] += weight * value[shared + i];
      }
    }
    return { output: linear(mixed, output.weight, output.bias), weights };
  }

  #feedForward({ expand, gate, contract }, x) {
    let hidden = linear(x, expand.weight, expand.bias).map(this.activation);
    if (gate.weight) {
      const open = linear(x, gate.weight, gate.bias);
      hidden = hidden.map((one, i) => one * open[i]);
    }
    return linear(hidden, contract.weight, contract.bias);
  }
}
