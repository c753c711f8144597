import { createKernels } from "../kernels.js";
import { checkedSettings, configOf } from "./config.js";
import { beginning, greedy, roomFor } from "./generation.js";
import { loopsOf } from "./loops.js";
import { clip, normOf, OPTIMIZERS, rateOf } from "./optimizers.js";
import { parametersOf } from "./parameters.js";
import { Random } from "./random.js";
import { EOS, Task } from "./tasks.js";
import { Transformer } from "./transformer.js";

// Training: show the model a batch, ask how wrong it is, move every weight a little.

// Tokens that are computed at a time: few enough for a processor's cache, and so few that tokens times parameters, the work
// after which a message is heard, is no more than WORK.
const ROWS = 384;
const WORK = 70e6;
const STREAMS = { parameters: 0, dropout: 1, data: 2, test: 3 }; // of random numbers

/** One model that learns one task. A batch of more than ROWS tokens goes through it in pieces; the update is the same. */
export class Training {
  constructor({ settings = {}, simd = "auto" }) {
    this.settings = checkedSettings(settings);
    const { seed, batch_size, optimizer } = this.settings;
    this.task = new Task(this.settings);
    this.config = configOf(this.settings, this.task);
    const parameters = parametersOf(this.config).reduce((sum, { size }) => sum + size, 0);
    const rows = Math.max(Math.min(ROWS, Math.floor(WORK / parameters)), this.config.max_length);
    this.room = roomFor(rows, Math.max(rows, batch_size));
    this.random = Object.fromEntries(Object.entries(STREAMS).map(([name, stream]) => [name, new Random(seed, stream)]));
    const limits = { rows, sequences: rows, random: this.random.dropout };
    const build = (kernels) => {
      const model = new Transformer(kernels, this.config, { ...limits, loops: loopsOf(kernels) });
      return { model, optimizer: new OPTIMIZERS[optimizer](kernels, model.parameters.count, this.settings) };
    };
    const trial = createKernels({ simd: false }); // it grows; what is computed with must not, or its arrays are empty
    build(trial);
    this.kernels = createKernels({ memoryBytes: trial.mark(), simd });
    Object.assign(this, build(this.kernels));
    this.model.parameters.reset(this.random.parameters);
    this.parts = this.model.parameters.parts();
    this.number = 0; // steps done
  }
  /** One step: {number, loss, gradientNorm, norms of the parts, rate, tokens}. An Error says why there can be none. */
  step() {
    return finished(this.steps());
  }

  /** The same in slices: yields between them, so that others get a turn. */
  *steps() {
    const { task, random, settings } = this;
    return yield* this.learn(Array.from({ length: settings.batch_size }, () => task.draw(random.data)));
  }

  /** A step on these examples, {source, target} in token ids. */
  *learn(examples) {
    const { model, optimizer, settings, room, parts } = this;
    const { values, gradients } = model.parameters;
    const tokens = examples.reduce((sum, { target }) => sum + target.length + 1, 0);
    gradients.fill(0);
    let loss = 0;
    for (let first = 0; first < examples.length;) {
      first = this.#pack(examples, first);
      loss += model.learn(room.src, room.tgt, tokens) / tokens;
      yield;
    }
    const norms = parts.map(({ part, from, end }) => ({ part, norm: normOf(gradients, from, end) }));
    const gradientNorm = settings.clip_norm ? clip(gradients, settings.clip_norm) : normOf(gradients);
    if (!Number.isFinite(loss + gradientNorm)) throw new Error(this.#diverged());
    const rate = rateOf(++this.number, settings);
    optimizer.update(values, gradients, rate, this.number);
    return { number: this.number, loss, gradientNorm, norms, rate, tokens };
  }

  /** The next examples that fit, from `first` on; returns where the ones after them begin. */
  #pack(examples, first) {
    const { room, model } = this;
    room.src.clear();
    room.tgt.clear();
    for (; first < examples.length; first++) {
      const { source, target } = examples[first];
      const tokens = beginning(model, source, target);
      if (Math.max(room.src.rows + source.length + 1, room.tgt.rows + tokens.length) > room.rows) break;
      if (model.encoder) room.src.add([...source, EOS]);
      const unasked = tokens.length - target.length - 1;
      room.tgt.add(tokens, [...Array(unasked).fill(-1), ...target, EOS]);
    }
    return first;
  }

  #diverged() {
    const { learning_rate, optimizer } = this.settings;
    const step = this.number + 1;
    const why = `learning_rate=${learning_rate} is too high for ${optimizer}; use a tenth of it`;
    return `at step ${step} the loss is no number any more: ${why}`;
  }

  /** How many of `count` held-out examples it writes without a mistake, and what it wrote: in slices, as `steps`. */
  *examine(count = 200) {
    const examples = this.task.heldOut(new Random(0, STREAMS.test), count); // the same at every look
    const said = yield* this.write(examples.map(({ source }) => source));
    const right = examples.filter(({ target }, i) => target.join() === said[i].join()).length;
    const words = (ids) => this.task.decode(ids).join(" ");
    const lines = examples.map(({ source, target }, i) => ({
      source: words(source),
      target: words(target),
      said: words(said[i]),
    }));
    return { right, count: examples.length, accuracy: right / examples.length, examples: lines };
  }

  evaluate(count) {
    return finished(this.examine(count));
  }

  /** What the model writes for each of these sources, in slices. */
  write(sources) {
    return greedy(this.model, sources, this.task.longestTarget, this.room);
  }

  /** What the model writes for a text, and where each head of each layer looked: [layer][head][query][key]. */
  attention(text) {
    const { task, model, room, config } = this;
    const source = task.encode(text);
    const [said] = finished(this.write([source]));
    room.tgt.clear();
    room.tgt.add(beginning(model, source, said));
    model.decode(room.tgt);
    const sides = {
      encoder: model.encoder?.attentions,
      decoder: model.decoder.attentions,
      cross: model.decoder.crossAttentions,
    };
    const maps = ([side, attentions]) => [
      side,
      (attentions ?? []).map(({ weights }) => byHead(weights, model.spans[side], config.n_heads)),
    ];
    return {
      source: model.encoder ? task.decode([...source, EOS]) : [],
      target: task.decode(beginning(model, source, said)),
      said: task.decode(said),
      ...Object.fromEntries(Object.entries(sides).map(maps)),
    };
  }

  /** All that a later `load` needs to go on as if nothing had happened. */
  state() {
    const { settings, number, model, optimizer, random } = this;
    const streams = Object.entries(random).map(([name, { state }]) => [name, [...state]]);
    return {
      settings,
      number,
      values: model.parameters.values.slice(),
      moments: optimizer.moments.map((one) => one.slice()),
      random: Object.fromEntries(streams),
    };
  }

  load({ number, values, moments, random }) {
    if (values.length !== this.model.parameters.count) {
      throw new Error(
        `this state has ${values.length} parameters, and the model ${this.model.parameters.count}; use its settings`,
      );
    }
    this.number = number;
    this.model.parameters.values.set(values);
    this.optimizer.moments.forEach((one, i) => one.set(moments[i]));
    for (const [name, numbers] of Object.entries(random)) this.random[name].state.set(numbers);
  }
}

/** What a generator returns in the end. */
function finished(slices) {
  let slice = slices.next();
  while (!slice.done) slice = slices.next();
  return slice.value;
}

/** The weights of the only sequence: [head][query][key]. */
function byHead(weights, { list }, heads) {
  const [, T, , S, from] = list;
  const row = (h, t) => [...weights.subarray(from + (h * T + t) * S, from + (h * T + t + 1) * S)];
  return Array.from({ length: heads }, (_, h) => Array.from({ length: T }, (_, t) => row(h, t)));
}
