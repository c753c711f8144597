// Typed arrays in one memory, given out one behind the other and given back from the end, so that computing a step
// again and again leaves no garbage.

const PAGE = 65_536; // bytes by which a WebAssembly memory grows
const ALIGNED = 16; // bytes of a SIMD register
const SLACK = 128; // bytes behind the last array: a kernel may read past an array's end, and writes there what it read

/** What a WebAssembly.Memory is to an arena, where there is none. */
export class PlainMemory {
  constructor(pages) {
    this.buffer = new ArrayBuffer(pages * PAGE);
  }
  grow(pages) {
    const old = new Uint8Array(this.buffer);
    this.buffer = new ArrayBuffer(old.length + pages * PAGE);
    new Uint8Array(this.buffer).set(old);
  }
}

export const pagesOf = (bytes) => Math.ceil((bytes + SLACK) / PAGE);

/** What `take()` gives, which takes so many bytes; an Error says that there are not so many. */
export function taken(bytes, take) {
  try {
    return take();
  } catch {
    const need = (bytes / 1e6).toFixed();
    throw new Error(
      `${need} MB are needed, and this page gets no more memory; close others, or take a smaller model`,
    );
  }
}

/** Arrays in `memory`, which has `buffer` and `grow(pages)`, from byte `begin` on. */
export class Arena {
  #memory;
  #top;
  #places = new WeakMap(); // array -> its offset, for when the memory has grown away under it

  constructor(memory, begin = 0) {
    this.#memory = memory;
    this.#top = begin;
  }

  /** What other WebAssembly needs to compute on the same arrays. */
  get memory() {
    return this.#memory;
  }

  /** n numbers in single precision; they are whatever stood there. */
  floats(n) {
    return this.#take(Float32Array, n);
  }

  /** n whole numbers of 8 bits; they are whatever stood there. */
  bytes(n) {
    return this.#take(Int8Array, n);
  }

  /** n whole numbers of 32 bits; they are whatever stood there. */
  integers(n) {
    return this.#take(Int32Array, n);
  }

  /** Grow now, if need be, so that `bytes` more come without growth. */
  ensure(bytes) {
    const end = this.#top + bytes;
    if (!(end + SLACK <= this.#memory.buffer.byteLength)) this.#grow(end);
  }

  /** How far it is used: for `release`. */
  mark() {
    return this.#top;
  }

  /** All arrays since `mark` are given back. */
  release(mark) {
    this.#top = mark;
  }

  /** The same array where the memory is now: after it has grown, an older array shows nothing. */
  again(array) {
    if (array.buffer === this.#memory.buffer) return array;
    const place = this.#places.get(array);
    if (!place) throw new Error("this array is not of these kernels; take it from floats() or bytes()");
    return (place.now = place.now?.buffer === this.#memory.buffer ? place.now : this.#show(array.constructor, place));
  }

  /** The same, which must have room for `count` numbers. */
  of(array, count, name) {
    const now = this.again(array);
    if (now.length < count) throw new Error(`${name} has ${now.length} numbers, and ${count} are needed`);
    return now;
  }

  #take(Kind, n) {
    const place = { offset: this.#top, length: n };
    const bytes = Math.ceil((n * Kind.BYTES_PER_ELEMENT) / ALIGNED) * ALIGNED;
    this.ensure(bytes);
    this.#top += bytes;
    const array = this.#show(Kind, place);
    this.#places.set(array, place);
    return array;
  }

  #show(Kind, { offset, length }) {
    return new Kind(this.#memory.buffer, offset, length);
  }

  /** By a quarter more than is asked: each time, all arrays must be handed out again. */
  #grow(bytes) {
    const has = this.#memory.buffer.byteLength;
    taken(bytes, () => this.#memory.grow(pagesOf(bytes + has / 4) - has / PAGE));
  }
}
