import { largestOf, logSoftmax } from "./numbers.js";

// The searches of lessons_lib/translation/search/decoding.py, for one sentence, a step at a time: each step `yield`s the best
// beginning so far, so that others may do something in between. A record is what a step had before it wrote a token:
// where it looked, and the likeliest next tokens.

const SHOWN = 5; // tokens that a record keeps

/** The most tokens that a translation may have. */
export function outputLimit(config, sourceLength) {
  return Math.min(config.max_length, 2 * sourceLength + 10);
}

/** The log-probability over ((5 + length) / 6)^α, so that long sentences can win (Wu et al. 2016, equation 14). */
export function normalised({ score, tokens }, lengthPenalty) {
  return score / ((5 + tokens.length) / 6) ** lengthPenalty;
}

function stepFrom(model, hypothesis) {
  const { tokens, state } = hypothesis;
  const { logits, looked } = model.step(tokens.at(-1) ?? model.config.bos_id, state);
  const logs = logSoftmax(logits);
  const { pad_id, bos_id, eos_id } = model.config;
  for (const never of [pad_id, bos_id]) if (never !== eos_id) logs[never] = -Infinity; // no sentence contains them
  const next = largestOf(logs, SHOWN).map((token) => ({ token, probability: Math.exp(logs[token]) }));
  return { logs, record: { looked, next } };
}

const extended = (from, token, score, record, state) => ({
  tokens: [...from.tokens, token],
  score,
  records: [...from.records, record],
  state,
});

/** The `beam` best translations of a source (ids with </s>), the best first; 1 is greedy search. */
export function* search(model, source, beam = 1, lengthPenalty = 1) {
  const { eos_id: eos } = model.config;
  const limit = outputLimit(model.config, source.length);
  const start = { tokens: [], score: 0, records: [], state: model.start(model.encode(source)) };
  let [hypotheses, finished] = [[start], []];
  for (let step = 1; step <= limit; step++) {
    const children = hypotheses.flatMap((from) => {
      const { logs, record } = stepFrom(model, from);
      return largestOf(logs, 2 * beam).map((token) => ({ from, token, record, score: from.score + logs[token] }));
    });
    // Twice as many as beams: at most half of them end, so enough are left to go on.
    const best = children.sort((a, b) => b.score - a.score).slice(0, 2 * beam);
    const ends = ({ token }) => token === eos || step === limit;
    const grown = ({ from, token, score, record }, state) => extended(from, token, score, record, state);
    finished.push(...best.slice(0, beam).filter(ends).map((child) => grown(child, null)));
    const open = best.filter(({ token }) => token !== eos);
    const ahead = { score: open[0].score, tokens: { length: step } };
    const leader = Math.max(...finished.map((one) => normalised(one, lengthPenalty)));
    if (step === limit || (finished.length >= beam && normalised(ahead, lengthPenalty) <= leader)) break;
    const used = new Set(); // who has one child only lends it its cache; the next children get a copy
    const states = open.slice(0, beam).map(({ from }) => {
      if (!used.has(from)) return used.add(from), null;
      return model.fork(from.state);
    });
    hypotheses = open.slice(0, beam).map((child, i) => grown(child, states[i] ?? child.from.state));
    yield hypotheses[0];
  }
  return finished.sort((a, b) => normalised(b, lengthPenalty) - normalised(a, lengthPenalty)).slice(0, beam);
}
