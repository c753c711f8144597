// Dropout (Srivastava et al. 2014): in training, a random share of the numbers is set to zero.

/** Zero with probability p, else divided by 1 − p, so that the mean stays. 16 bits decide each, as in lessons_lib. */
export class Dropout {
  constructor({ kernels, config, random }, size) {
    this.p = config.dropout;
    this.random = random;
    if (this.p === 0) return;
    this.kept = kernels.floats(size); // 0 or 1 / (1 − p)
    this.gradient = kernels.floats(size);
  }

  /** In place. */
  forward(x, count, training) {
    this.active = training && this.p > 0;
    if (!this.active) return;
    const { kept, random } = this;
    const least = Math.round(this.p * 65536);
    const scale = 1 / (1 - this.p);
    for (let i = 0; i < count; i += 2) {
      const bits = random.bits();
      kept[i] = (bits & 65535) >= least ? scale : 0;
      kept[i + 1] = bits >>> 16 >= least ? scale : 0;
    }
    for (let i = 0; i < count; i++) x[i] *= kept[i];
  }

  /** The gradient of what went in; dy itself stays as it is. */
  backward(dy, count) {
    if (!this.active) return dy;
    const { kept, gradient } = this;
    for (let i = 0; i < count; i++) gradient[i] = dy[i] * kept[i];
    return gradient;
  }
}
