import { readModel } from "./file.js";
import { Transformer } from "./model.js";
import { Tokenizer } from "./tokenizer.js";
import { normalised, search } from "./search.js";

// What the page asks and what it hears, in a thread of its own, so that the page stays awake.
//   {load: buffer}                            -> {ready: about the model} or {failed: why}
//   {translate: {id, text, beam}}             -> {id, beginning} again and again, then {id, done: translation}
//   {stop: true}                              -> nothing: what was under way ends, and the model is let go
// A new translation ends the one before.

const AWAKE = 16; // milliseconds at work before the next look for messages

/** An array in so many parts of equal length. */
function split(array, parts) {
  const length = array.length / parts;
  return Array.from({ length: parts }, (_, i) => array.subarray(i * length, (i + 1) * length));
}

/** A function that takes messages; `post` gets the answers. */
export function serve(post) {
  let [model, tokenizer, current] = [null, null, null];

  function load(buffer) {
    const file = readModel(buffer);
    const loaded = new Transformer(file);
    // A file that lacks a part of the model fails here, and the old model stays.
    for (const { tokens } of search(loaded, [file.config.eos_id])) if (tokens.length) break;
    [model, tokenizer] = [loaded, new Tokenizer(file)];
    const { config, name, parameters } = file;
    const { n_decoder_layers: layers, n_heads: heads } = config;
    const megabytes = buffer.byteLength / 1e6;
    post({ ready: { name, parameters, layers, heads, longest: config.max_length - 1, megabytes } });
  }

  async function translate({ id, text, beam, lengthPenalty = 1 }) {
    current = id;
    const begin = performance.now();
    const words = text.normalize("NFC").split(/[ \t\n\v\f\r]+/); // as `plain` of lessons_lib/translation/data/tokenizer.py
    const read = words.filter((word) => word).join(" ");
    const all = tokenizer.encode(read);
    const source = [...all.slice(0, model.config.max_length - 1), model.config.eos_id];
    const steps = search(model, source, beam, lengthPenalty);
    let [rested, result] = [begin, steps.next()];
    for (; !result.done; result = steps.next()) {
      post({ id, beginning: tokenizer.decode(result.value.tokens) });
      if (performance.now() - rested < AWAKE) continue;
      await new Promise((go) => setTimeout(go));
      if (id !== current) return;
      rested = performance.now();
    }
    const milliseconds = performance.now() - begin;
    const side = (ids) => ({ pieces: tokenizer.pieces(ids), ids, ...tokenizer.wordsOf(ids) });
    const [best] = result.value;
    const { n_decoder_layers, n_heads } = model.config;
    const records = best.records.map(({ looked, next }) => ({
      looked: split(looked, n_decoder_layers).map((layer) => split(layer, n_heads)),
      next: next.map(({ token, probability }) => ({ piece: tokenizer.pieces([token])[0], probability })),
    }));
    const ended = result.value.map((one) => ({
      text: tokenizer.decode(one.tokens),
      score: one.score,
      normalised: normalised(one, lengthPenalty),
    }));
    const about = { tokens: all.length, milliseconds, unseen: tokenizer.unseen(read) };
    post({ id, done: { ...about, source: side(source), target: side(best.tokens), records, ended } });
  }

  return async (message) => {
    try {
      if (message.stop) [model, tokenizer, current] = [null, null, null];
      else if (message.load) load(message.load);
      else await translate(message.translate);
    } catch (error) {
      const lacks = message.load && error instanceof TypeError; // an undefined matrix was computed with
      const why = lacks ? "This file lacks a part of the model. Export the model again." : error.message;
      post({ failed: why, id: message.translate?.id });
    }
  };
}

if (typeof WorkerGlobalScope !== "undefined" && globalThis instanceof WorkerGlobalScope) {
  const take = serve((message) => postMessage(message));
  onmessage = ({ data }) => take(data);
}
