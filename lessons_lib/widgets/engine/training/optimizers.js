// How a gradient moves the parameters; the formulas are those of torch.optim.

/** θ ← θ − η m, with the momentum m ← μ m + g. */
class MomentumSGD {
  constructor(kernels, count, { momentum }) {
    this.momentum = momentum;
    this.moments = [kernels.floats(count).fill(0)];
  }

  update(values, gradients, rate) {
    const [m] = this.moments;
    for (let i = 0; i < values.length; i++) {
      m[i] = this.momentum * m[i] + gradients[i];
      values[i] -= rate * m[i];
    }
  }
}

/** Adam (Kingma and Ba 2015): each parameter's step is as long as its gradient is steady. */
class Adam {
  constructor(kernels, count, { betas, eps }) {
    Object.assign(this, { betas, eps, decay: 0 });
    this.moments = [kernels.floats(count).fill(0), kernels.floats(count).fill(0)]; // running means of g and of g²
  }

  update(values, gradients, rate, number) {
    const [m, v] = this.moments;
    const [first, second] = this.betas;
    const size = rate / (1 - first ** number);
    const correction = 1 / Math.sqrt(1 - second ** number);
    const keep = 1 - rate * this.decay;
    for (let i = 0; i < values.length; i++) {
      const g = gradients[i];
      m[i] += (1 - first) * (g - m[i]);
      v[i] = second * v[i] + (1 - second) * g * g;
      values[i] = keep * values[i] - (size * m[i]) / (Math.sqrt(v[i]) * correction + this.eps);
    }
  }
}

/** AdamW (Loshchilov and Hutter 2019): weights also shrink, by the rate times `weight_decay`, without the gradient. */
class AdamW extends Adam {
  constructor(kernels, count, options) {
    super(kernels, count, options);
    this.decay = options.weight_decay;
  }
}

export const OPTIMIZERS = { sgd: MomentumSGD, adam: Adam, adamw: AdamW };

/** The length of a part of the gradients. */
export function normOf(gradients, from = 0, end = gradients.length) {
  let sum = 0;
  for (let i = from; i < end; i++) sum += gradients[i] * gradients[i];
  return Math.sqrt(sum);
}

/** Makes all gradients together no longer than `most` (Pascanu et al. 2013); returns how long they were. */
export function clip(gradients, most) {
  const norm = normOf(gradients);
  if (norm > most) {
    const shrink = most / (norm + 1e-6);
    for (let i = 0; i < gradients.length; i++) gradients[i] *= shrink;
  }
  return norm;
}

const LEAST = 0.01; // of the rate, at the end of a linear schedule

/** The share of the rate after the warm-up, at step `number`. */
const SCHEDULES = {
  constant: () => 1,
  inverse_sqrt: (number, { warmup_steps }) => Math.sqrt(Math.max(warmup_steps, 1) / number), // Vaswani et al. 2017, 5.3
  linear: (number, { steps }) => Math.max(1 - number / steps, LEAST),
};

/** The rate of step `number`, counted from 1: up in a straight line over the warm-up, then by the schedule. */
export function rateOf(number, settings) {
  const { learning_rate, warmup_steps, schedule } = settings;
  return learning_rate * Math.min(number / Math.max(warmup_steps, 1), SCHEDULES[schedule](number, settings), 1);
}
