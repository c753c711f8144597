// What the live translator says of a translation in words: attention between words, and what is not as one may think.

/** The mean over heads of one layer at one step: (H, S) → (S,). */
export function meanOfHeads(heads) {
  return Array.from(heads[0], (_, s) => heads.reduce((sum, head) => sum + head[s], 0) / heads.length);
}

/**
 * Attention between words from attention between pieces, as lessons_lib.translation.evaluation.alignment.word_weights: a source
 * word gets the sum of its pieces, a target word the mean of its. `of` gives each piece its word; null belongs to none.
 */
export function wordWeights(weights, sourceOf, targetOf, nSource, nTarget) {
  const rows = Array.from({ length: nTarget }, () => new Array(nSource).fill(0));
  const counts = new Array(nTarget).fill(0);
  for (const word of targetOf) if (word !== null) counts[word]++;
  weights.forEach((row, t) => {
    if (targetOf[t] === null) return;
    sourceOf.forEach((word, s) => {
      if (word !== null) rows[targetOf[t]][word] += row[s] / counts[targetOf[t]];
    });
  });
  return rows;
}

/**
 * Names and weights for one unit: {rows, columns, weights, words, steps}. `words` gives each column its word (null for
 * </s> and spaces), `steps` each row the token that begins it.
 */
export function mapOf({ source, target, records }, layer, head, unit) {
  const weights = records.map(({ looked }) => {
    return head < 0 ? meanOfHeads(looked[layer]) : Array.from(looked[layer][head]);
  });
  if (unit === "pieces") {
    const [words, steps] = [source.of.map((word) => source.words[word] ?? null), [...target.pieces.keys()]];
    return { rows: target.pieces, columns: source.pieces, weights, words, steps };
  }
  const words = wordWeights(weights, source.of, target.of, source.words.length, target.words.length);
  const rest = (row) => Math.max(0, 1 - row.reduce((a, b) => a + b, 0)); // what looks at </s>: nothing is hidden
  return {
    rows: target.words,
    columns: [...source.words, "</s>"],
    weights: words.map((row) => [...row, rest(row)]),
    words: [...source.words, null],
    steps: target.words.map((_, word) => target.of.indexOf(word)),
  };
}

/** The indices of the `count` largest weights, the largest first; equal ones in their order. */
export function largestFirst(weights, count) {
  return [...weights.keys()].sort((a, b) => weights[b] - weights[a] || a - b).slice(0, count);
}

const NAMED = 8; // unseen words in a message

/** What is not as the reader may think, a sentence each. */
export function warningsOf(text, { tokens, unseen, target }, longest) {
  const says = [];
  if (unseen?.length) {
    const named = unseen
      .slice(0, NAMED)
      .map(({ unit, seen }) => `‘${unit}’${seen ? ` (but it knows ‘${seen}’)` : ""}`)
      .join(", ");
    const more = unseen.length > NAMED ? `, and ${unseen.length - NAMED} more` : "";
    const them = unseen.length > 1 ? "them" : "it";
    says.push(`Never seen in training: ${named}${more}. What it makes of ${them} is a guess.`);
  }
  if (tokens > longest)
    says.push(`The text has ${tokens} tokens, but this model reads at most ${longest}: the rest was left out.`);
  if (/[.?!]\s+\S/.test(text)) says.push("The course trains on one sentence at a time: give it one.");
  if (!target.words.length) says.push("It wrote nothing: it ended at once.");
  return says;
}

/** Whether one of the units of a word, as the tokenizer counts them, is among the unseen. */
export function isUnseen(word, unseen) {
  const units = word?.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
  return (unseen ?? []).some(({ unit }) => units.includes(unit));
}
