import { Stack } from "./blocks.js";
import { crossEntropy } from "./loss.js";
import { Spans } from "./packed.js";
import { Parameters } from "./parameters.js";

// The model of lessons_lib/transformer.py with its gradients. All that forward leaves for backward lies in memory that
// is taken once, for `rows` tokens in `sequences` sequences, and used again at every step.

/** Encoder and decoder, or with n_encoder_layers = 0 a decoder alone. `random` draws what dropout drops. */
export class Transformer {
  constructor(kernels, config, { rows, sequences, random, loops }) {
    this.kernels = kernels;
    this.config = config;
    this.parameters = new Parameters(kernels, config);
    const buffers = new Map();
    const shared = (name, size) => {
      // Gradients that live no longer than their sub-layer's backward: all sub-layers use the same memory.
      if (!buffers.has(name)) buffers.set(name, kernels.floats(size));
      return buffers.get(name);
    };
    const context = { kernels, config, parameters: this.parameters, loops, random, shared };
    const longest = config.max_length;
    this.spans = {
      encoder: new Spans(kernels, sequences),
      decoder: new Spans(kernels, sequences),
      cross: new Spans(kernels, sequences),
    };
    const { n_encoder_layers, n_decoder_layers, causal_mask } = config;
    this.encoder = n_encoder_layers
      ? new Stack(context, "encoder", {
          layers: n_encoder_layers,
          causal: false,
          rows,
          longest,
          self: this.spans.encoder,
        })
      : null;
    this.decoder = new Stack(context, "decoder", {
      layers: n_decoder_layers,
      causal: causal_mask,
      rows,
      longest,
      self: this.spans.decoder,
      source: this.encoder,
      across: this.spans.cross,
    });
    this.output = this.parameters.get(config.tied ? "embedding.weight" : "output.weight");
    this.logits = kernels.floats(rows * config.vocab_size);
  }

  /** The source, read; a decoder alone has none. */
  encode(src, training = false) {
    if (!this.encoder) return;
    this.spans.encoder.connect(src, src, this.config.n_heads);
    this.encoder.forward(src, training);
  }

  /** Logits (rows of tgt, vocabulary) of the token after each. */
  decode(tgt, training = false) {
    const { kernels, config, spans } = this;
    spans.decoder.connect(tgt, tgt, config.n_heads);
    if (this.encoder) spans.cross.connect(tgt, this.encoder.tokens, config.n_heads);
    const hidden = this.decoder.forward(tgt, training);
    kernels.matmulTransposed(hidden, this.output.value, this.logits, tgt.rows, config.d_model, config.vocab_size);
    return this.logits;
  }

  /** The sum of the losses of these targets; gradients are added, of the loss over `total` targets. */
  learn(src, tgt, total) {
    this.encode(src, true);
    this.decode(tgt, true);
    const { vocab_size, d_model } = this.config;
    const loss = crossEntropy(this.logits, tgt.targets, tgt.rows, vocab_size, total);
    const { kernels, decoder, encoder, output, logits } = this;
    kernels.transposedMatmul(logits, decoder.y, output.gradient, vocab_size, tgt.rows, d_model, true);
    kernels.matmul(logits, output.value, decoder.gradient, tgt.rows, vocab_size, d_model);
    encoder?.gradient.fill(0, 0, src.rows * d_model);
    decoder.backward();
    encoder?.backward();
    return loss;
  }
}
