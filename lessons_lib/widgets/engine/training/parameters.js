// Every number that is learned, under the name that PyTorch's state_dict of lessons_lib.transformer gives it.

/**
 * {name, shape, start, size} of every parameter, layer by layer; `start` says what it is before training.
 *
 * Those that one product uses together (queries, keys, values; expand, gate) are neighbours.
 */
export function parametersOf(config) {
  const { d_model, d_ff, vocab_size, norm, activation, positions } = config;
  const linear = (name, rows, columns) => [
    [`${name}.weight`, [rows, columns], "xavier"],
    [`${name}.bias`, [rows], "zeros"],
  ];
  const together = (...linears) => [...linears.map(([weight]) => weight), ...linears.map(([, bias]) => bias)];
  const normed = (name) => [
    [`${name}.gamma`, [d_model], "ones"],
    [`${name}.beta`, [d_model], "zeros"],
  ];
  const residual = (name) => (norm === "none" ? [] : normed(`${name}_residual.norm`));
  const attention = (name) => [
    ...together(...["query", "key", "value"].map((part) => linear(`${name}.${part}`, d_model, d_model))),
    ...linear(`${name}.output`, d_model, d_model),
    ...residual(name),
  ];
  const feedForward = (name) => [
    ...together(
      ...(activation === "swiglu" ? ["expand", "gate"] : ["expand"]).map((part) =>
        linear(`${name}.${part}`, d_ff, d_model),
      ),
    ),
    ...linear(`${name}.contract`, d_model, d_ff),
    ...residual(name),
  ];
  const layer = (name, cross) => [
    ...attention(`${name}.attention`),
    ...(cross ? attention(`${name}.cross_attention`) : []),
    ...feedForward(`${name}.feed_forward`),
  ];
  const stack = (name, layers, cross) =>
    layers === 0
      ? []
      : [
          ...(positions === "learned" ? [[`${name}.positions.table`, [config.max_length, d_model], "small"]] : []),
          ...Array.from({ length: layers }, (_, i) => layer(`${name}.layers.${i}`, cross)).flat(),
          ...(norm === "pre" ? normed(`${name}.norm`) : []),
        ];
  const all = [
    ["embedding.weight", [vocab_size, d_model], "embedding"],
    ...stack("encoder", config.n_encoder_layers, false),
    ...stack("decoder", config.n_decoder_layers, config.n_encoder_layers > 0),
    ...(config.tied ? [] : [["output.weight", [vocab_size, d_model], "xavier"]]),
  ];
  return all.map(([name, shape, start]) => ({ name, shape, start, size: shape.reduce((a, b) => a * b) }));
}

/** The parameters and their gradients, each in one piece of memory. */
export class Parameters {
  constructor(kernels, config) {
    this.list = parametersOf(config);
    this.count = this.list.reduce((sum, { size }) => sum + size, 0);
    this.values = kernels.floats(this.count);
    this.gradients = kernels.floats(this.count);
    let from = 0;
    for (const one of this.list) {
      Object.assign(one, { from, ...this.#views(from, one.size) });
      from += one.size;
    }
    this.named = new Map(this.list.map((one) => [one.name, one]));
  }

  /** {value, gradient} of a name; of several names, neighbours in memory, as one. */
  get(...names) {
    const found = names.map((name) => this.named.get(name));
    const size = found.reduce((sum, one) => sum + one.size, 0);
    return found.length === 1 ? found[0] : this.#views(found[0].from, size);
  }

  #views(from, size) {
    return { value: this.values.subarray(from, from + size), gradient: this.gradients.subarray(from, from + size) };
  }

  /** As `Transformer.reset_parameters`: uniform matrices (Glorot and Bengio 2010), embeddings of variance 1/d_model. */
  reset(random) {
    for (const { name, shape, start, value } of this.list) {
      const [rows, columns] = shape;
      const bound = Math.sqrt(6 / (rows + columns));
      const draw = {
        zeros: () => 0,
        ones: () => 1,
        xavier: () => bound * (2 * random.uniform() - 1),
        embedding: () => random.normal() / Math.sqrt(columns),
        small: () => 0.02 * random.normal(),
      }[start];
      for (let i = 0; i < value.length; i++) value[i] = draw();
      if (name === "embedding.weight") value.fill(0, 0, columns); // the row of <pad>
    }
  }

  /** The parts of which a gradient norm is told: embedding, encoder.layers.0, …, output, with where they lie. */
  parts() {
    const parts = new Map();
    for (const { name, from, size } of this.list) {
      const part = /^(encoder|decoder)\.layers\.\d+|^\w+(?=\.weight)|^\w+\.\w+/.exec(name)[0];
      const end = from + size;
      if (parts.has(part)) parts.get(part).end = end;
      else parts.set(part, { part, from, end });
    }
    return [...parts.values()];
  }
}
