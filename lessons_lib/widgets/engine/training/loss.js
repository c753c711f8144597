// Cross-entropy: how surprised the model is by the token that comes next.

/**
 * The sum of −log p(target) over the rows that have a target; p is the softmax of the logits. These become their own
 * gradient, of the sum divided by `total`: (p − 1 at the target) / total, and zero in a row without target.
 */
export function crossEntropy(logits, targets, rows, vocabulary, total) {
  let sum = 0;
  for (let row = 0, from = 0; row < rows; row++, from += vocabulary) {
    const end = from + vocabulary;
    if (targets[row] < 0) {
      logits.fill(0, from, end);
      continue;
    }
    let top = -Infinity;
    for (let i = from; i < end; i++) if (logits[i] > top) top = logits[i];
    const target = from + targets[row];
    sum += top - logits[target];
    let mass = 0;
    for (let i = from; i < end; i++) mass += logits[i] = Math.exp(logits[i] - top);
    sum += Math.log(mass);
    for (let i = from; i < end; i++) logits[i] /= mass * total;
    logits[target] -= 1 / total;
  }
  return sum;
}
