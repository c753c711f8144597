import { Linear } from "./linear.js";

// Multi-head attention (Vaswani et al. 2017, section 3.2.2): queries, keys and values by matrices, every head on its
// own columns of them, and a matrix that mixes what the heads found.

/** Self-attention; or with `cross` attention to a source, whose keys and values come from other vectors. */
export class MultiHeadAttention {
  constructor(context, name, { rows, sourceRows, longest, cross, causal, rotary }) {
    const { kernels, config, loops } = context;
    const D = config.d_model;
    const part = (one) => `${name}.${one}`;
    this.loops = loops;
    this.cross = cross;
    this.causal = causal;
    this.rotary = rotary;
    this.n_heads = config.n_heads;
    this.d_head = D / config.n_heads;
    this.scale = config.scale_scores ? 1 / Math.sqrt(this.d_head) : 1;
    this.output = new Linear(context, [part("output")], D);
    if (cross) {
      this.query = new Linear(context, [part("query")], D);
      this.keyValue = new Linear(context, [part("key"), part("value")], D);
      this.queries = kernels.floats(rows * D);
      this.keysValues = kernels.floats(sourceRows * 2 * D);
      this.dqueries = context.shared("dqueries", rows * D);
      this.dkeysValues = context.shared("dkeysValues", sourceRows * 2 * D);
    } else {
      this.query = new Linear(context, [part("query"), part("key"), part("value")], D);
      this.queries = kernels.floats(rows * 3 * D); // each row: a query, a key, a value
      this.dqueries = context.shared("dqkv", rows * 3 * D);
    }
    // Where queries, keys and values begin, and how far it is from one row to the next.
    const shift = cross ? 0 : D;
    this.queryStride = cross ? D : 3 * D;
    this.keyStride = cross ? 2 * D : 3 * D;
    const [kv, dkv] = cross ? [this.keysValues, this.dkeysValues] : [this.queries, this.dqueries];
    Object.assign(this, { q: this.queries, k: kv.subarray(shift), v: kv.subarray(shift + D) });
    Object.assign(this, { dq: this.dqueries, dk: dkv.subarray(shift), dv: dkv.subarray(shift + D) });
    this.weights = kernels.floats(config.n_heads * rows * longest + 8); // + 8: see loops.wat
    this.mixed = kernels.floats(rows * D);
    this.dmixed = context.shared("dmixed", rows * D);
    this.y = kernels.floats(rows * D);
  }

  /** What every row of x reads: of its own sequence, or of `source`. */
  forward(x, spans, queries, source, keys) {
    this.query.forward(x, this.queries, queries.rows);
    if (this.cross) this.keyValue.forward(source, this.keysValues, keys.rows);
    this.rotary?.rotate(this.q, this.queryStride, queries, 1);
    this.rotary?.rotate(this.k, this.keyStride, queries, 1);
    this.loops.attendHeads(this, spans);
    this.output.forward(this.mixed, this.y, queries.rows);
    return this.y;
  }

  /** The gradient of x; that of the source is added to `dsource`. */
  backward(x, dy, dx, accumulate, spans, queries, source, keys, dsource) {
    const D = this.n_heads * this.d_head;
    this.output.backward(this.mixed, dy, this.dmixed, queries.rows);
    this.dqueries.fill(0, 0, queries.rows * this.queryStride);
    if (this.cross) this.dkeysValues.fill(0, 0, keys.rows * 2 * D);
    this.loops.attendHeadsBackward(this, spans);
    this.rotary?.rotate(this.dq, this.queryStride, queries, -1);
    this.rotary?.rotate(this.dk, this.keyStride, queries, -1);
    this.query.backward(x, this.dqueries, dx, queries.rows, accumulate);
    if (this.cross) this.keyValue.backward(source, this.dkeysValues, dsource, keys.rows, true);
  }
}
