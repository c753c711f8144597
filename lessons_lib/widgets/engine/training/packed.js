// A batch without padding: its sequences one behind the other, a row a token. What padding and its mask keep apart in
// PyTorch is kept apart here by knowing where each sequence begins, and no row is computed in vain.

/** The tokens of up to `most` sequences, `rows` tokens together. */
export class Packed {
  constructor(rows, most) {
    this.tokens = new Int32Array(rows);
    this.places = new Int32Array(rows); // of a token in its sequence
    this.targets = new Int32Array(rows); // the token to say there; −1: none is asked
    this.starts = new Int32Array(most + 1);
    this.sources = new Int32Array(most); // which sequence of the source each one reads from
    this.clear();
  }

  clear() {
    this.count = 0; // sequences
    this.rows = 0;
  }

  /** One sequence more. */
  add(tokens, targets = null, source = this.count) {
    for (let t = 0; t < tokens.length; t++, this.rows++) {
      this.tokens[this.rows] = tokens[t];
      this.places[this.rows] = t;
      this.targets[this.rows] = targets ? targets[t] : -1;
    }
    this.sources[this.count] = source;
    this.starts[++this.count] = this.rows;
  }
}

/** Who attends to whom: each sequence of queries to one of keys, itself or its source. */
export class Spans {
  constructor(kernels, most) {
    this.list = kernels.integers(5 * most); // first query, queries, first key, keys, first weight
    this.count = 0;
  }

  connect(queries, keys, heads) {
    const itself = queries === keys;
    this.count = queries.count;
    let weights = 0;
    for (let i = 0; i < this.count; i++) {
      const T = queries.starts[i + 1] - queries.starts[i];
      const of = itself ? i : queries.sources[i];
      const S = keys.starts[of + 1] - keys.starts[of];
      this.list[5 * i] = queries.starts[i];
      this.list[5 * i + 1] = T;
      this.list[5 * i + 2] = keys.starts[of];
      this.list[5 * i + 3] = S;
      this.list[5 * i + 4] = weights;
      weights += heads * T * S;
    }
  }
}
