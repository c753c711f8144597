import { Packed } from "./packed.js";
import { BOS, EOS } from "./tasks.js";

// Writing: the likeliest token, again and again. The whole beginning is read anew at each step: a cache of keys and
// values would save that, but only a causal mask keeps later tokens from changing earlier ones, and it can be off.

/** Targets of these sources, one after the other token; yields after each, so that others get a turn. */
export function* greedy(model, sources, longest, room) {
  const said = sources.map(() => []);
  const together = Math.max(1, Math.floor(room.rows / model.config.max_length));
  for (let first = 0; first < sources.length; first += together) {
    let open = Array.from({ length: Math.min(together, sources.length - first) }, (_, i) => i);
    packSources(model, sources.slice(first, first + together), room.src);
    model.encode(room.src);
    for (let length = 0; length <= longest && open.length; length++) {
      room.tgt.clear();
      for (const i of open) room.tgt.add(beginning(model, sources[first + i], said[first + i]), null, i);
      const logits = model.decode(room.tgt);
      open = open.filter((i, at) => {
        const next = likeliest(logits, room.tgt.starts[at + 1] - 1, model.config.vocab_size);
        if (next !== EOS) said[first + i].push(next);
        return next !== EOS && length < longest;
      });
      yield;
    }
  }
  return said;
}

/** What the encoder reads. */
function packSources(model, sources, src) {
  src.clear();
  if (model.encoder) for (const source of sources) src.add([...source, EOS]);
}

/** What the decoder reads: what it has said, behind <s>; a decoder alone reads the source in front of it. */
export function beginning(model, source, target) {
  return model.encoder ? [BOS, ...target] : [...source, EOS, BOS, ...target];
}

function likeliest(logits, row, vocabulary) {
  const from = row * vocabulary;
  let best = from;
  for (let i = from + 1; i < from + vocabulary; i++) if (logits[i] > logits[best]) best = i;
  return best - from;
}

/** A place for a batch on both sides. */
export function roomFor(rows, sequences) {
  return { rows, src: new Packed(rows, sequences), tgt: new Packed(rows, sequences) };
}
