// Random numbers that a seed fixes: xoshiro128** of David Blackman and Sebastiano Vigna (2021).

/** A stream of random numbers; other streams of the same seed are independent of it. */
export class Random {
  constructor(seed, stream = 0) {
    this.state = new Uint32Array(4);
    let mixed = (Math.imul(seed, 0x9e3779b1) + Math.imul(stream + 1, 0x85ebca6b)) >>> 0;
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e3779b9) >>> 0; // splitmix32: seeds that are neighbours give states that are not
      let z = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.state[i] = z ^ (z >>> 15);
    }
  }

  /** A whole number of 32 bits. */
  bits() {
    const s = this.state;
    const turned = Math.imul(s[1], 5);
    const result = Math.imul((turned << 7) | (turned >>> 25), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** Uniform in [0, 1). */
  uniform() {
    return this.bits() / 2 ** 32;
  }

  /** A whole number of 0 … count − 1. */
  below(count) {
    return Math.floor(this.uniform() * count);
  }

  /** A whole number of first … last. */
  between(first, last) {
    return first + this.below(last - first + 1);
  }

  choice(list) {
    return list[this.below(list.length)];
  }

  /** Normal with mean 0 and deviation 1 (Box and Muller 1958). */
  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}
