import { largestOf } from "./numbers.js";

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

/** Each hypothesis a token further: its likeliest next tokens and their log-probabilities, and its record. */
function stepFrom(model, hypotheses, count) {
  const { pad_id, bos_id, eos_id } = model.config;
  const last = hypotheses.map(({ tokens }) => tokens.at(-1) ?? bos_id);
  const rows = model.step(last, hypotheses.map(({ row }) => row)); // prettier-ignore
  return rows.map(({ logits, logSum, looked }, row) => {
    for (const never of [pad_id, bos_id]) if (never !== eos_id) logits[never] = -Infinity; // no sentence contains them
    const likely = largestOf(logits, Math.max(count, SHOWN)).map((token) => ({ token, log: logits[token] - logSum }));
    const next = likely.slice(0, SHOWN).map(({ token, log }) => ({ token, probability: Math.exp(log) }));
    return { from: hypotheses[row], row, record: { looked, next }, likely: likely.slice(0, count) };
  });
}

/** The `beam` best translations of a source (ids with </s>), the best first; 1 is greedy search. */
export function* search(model, source, beam = 1, lengthPenalty = 1) {
  const { eos_id: eos } = model.config;
  const limit = outputLimit(model.config, source.length);
  const start = { tokens: [], score: 0, records: [], row: 0 };
  for (const _ of model.read(source, beam, limit)) yield start;
  let [hypotheses, finished] = [[start], []];
  for (let step = 1; step <= limit; step++) {
    const children = stepFrom(model, hypotheses, 2 * beam).flatMap(({ from, row, record, likely }) =>
      likely.map(({ token, log }) => ({ from, row, record, token, score: from.score + log })),
    );
    // Twice as many as beams: at most half of them end, so enough are left to go on.
    const best = children.sort((a, b) => b.score - a.score).slice(0, 2 * beam);
    const ends = ({ token }) => token === eos || step === limit;
    const grown = ({ from, row, token, score, record }) => ({
      tokens: [...from.tokens, token],
      score,
      records: [...from.records, record],
      row, // of the model's step, which it continues
    });
    finished.push(...best.slice(0, beam).filter(ends).map(grown));
    const open = best.filter(({ token }) => token !== eos);
    const ahead = { score: open[0].score, tokens: { length: step } };
    const leader = Math.max(...finished.map((one) => normalised(one, lengthPenalty)));
    if (step === limit || (finished.length >= beam && normalised(ahead, lengthPenalty) <= leader)) break;
    hypotheses = open.slice(0, beam).map(grown);
    yield hypotheses[0];
  }
  return finished.sort((a, b) => normalised(b, lengthPenalty) - normalised(a, lengthPenalty)).slice(0, beam);
}
