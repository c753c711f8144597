// What is learned: pairs of a source and a target, drawn by a seed. One source in ten is held out, by a number made of
// its symbols: no example of the training is ever in the test, whatever the seeds.

export const [PAD, BOS, EOS] = [0, 1, 2];
const SPECIAL = ["<pad>", "<s>", "</s>"];

const SYMBOLS = { letters: [..."abcdefghijklmnopqrstuvwxyz"], digits: [..."0123456789"] };
const ANSWERS = {
  copy: (symbols) => symbols,
  reverse: (symbols) => symbols.toReversed(),
  sort: (symbols) => symbols.toSorted(),
};

/** What every task is: {words, longestSource, longestTarget, draw(random) -> {source, target, key}, split(text)}. */
function sequences({ task, symbols, shortest, longest }) {
  const answer = ANSWERS[task];
  return {
    words: SYMBOLS[symbols],
    longestSource: longest,
    longestTarget: longest,
    draw(random) {
      const source = Array.from({ length: random.between(shortest, longest) }, () => random.choice(SYMBOLS[symbols]));
      return { source, target: answer(source), key: source.join(" ") };
    },
    split: (text) => [...text.replace(/\s+/g, "")],
  };
}

// The puzzle of lesson 1: which articles, adjectives and verbs are plural in French? The noun says it, elsewhere.
const NOUNS = "cat dog girl boy house table garden bridge teacher tree".split(" ");
const ADJECTIVES = "small old black white big young green quiet".split(" ");
const PREPOSITIONS = "near behind beside".split(" ");
const VERBS = "slept fell sang waited vanished laughed".split(" ");
const [ONE, MANY, NOT_ASKED] = ["one", "many", "–"];

/** {words, numbers}: of each word the number that it shows in French. A noun is not asked: it says so itself. */
function nounPhrase(random, mostAdjectives) {
  const number = random.choice([ONE, MANY]);
  const adjectives = Array.from({ length: random.between(0, mostAdjectives) }, () => random.choice(ADJECTIVES));
  const before = ["the", ...new Set(adjectives)];
  const words = [...before, random.choice(NOUNS) + (number === MANY ? "s" : "")];
  return { number, words, numbers: [...before.map(() => number), NOT_ASKED] };
}

/** A sentence is held out in all its versions, singular and plural: who does not see the noun is half right. */
function agreement() {
  return {
    words: [
      ...["the", ...ADJECTIVES, ...PREPOSITIONS, ...VERBS],
      ...NOUNS.flatMap((noun) => [noun, `${noun}s`]),
      ...[ONE, MANY, NOT_ASKED],
    ],
    longestSource: 9,
    longestTarget: 9,
    draw(random) {
      const subject = nounPhrase(random, 2);
      const other = random.uniform() < 0.7 ? nounPhrase(random, 1) : { words: [], numbers: [] };
      const between = other.words.length ? [random.choice(PREPOSITIONS)] : [];
      const source = [...subject.words, ...between, ...other.words, random.choice(VERBS)];
      const target = [...subject.numbers, ...between.map(() => NOT_ASKED), ...other.numbers, subject.number];
      return {
        source,
        target,
        key: source.map((word) => (NOUNS.includes(word.slice(0, -1)) ? word.slice(0, -1) : word)).join(" "),
      };
    },
    split: splitWords,
  };
}

const splitWords = (text) => text.split(/\s+/).filter((word) => word);

/** Sentences and their translations: a list of [source, target]. A word is what stands between spaces. */
function translations(_, pairs) {
  if (!pairs?.length) throw new Error("task=pairs has no pairs; give a list of [source, target]");
  const examples = pairs.map((pair) => {
    const [source, target] = pair.map(splitWords);
    return { source, target, key: source.join(" ") };
  });
  const longest = (side) => examples.reduce((most, one) => Math.max(most, one[side].length), 0);
  return {
    words: [...new Set(examples.flatMap(({ source, target }) => [...source, ...target]))],
    longestSource: longest("source"),
    longestTarget: longest("target"),
    draw: (random) => random.choice(examples),
    split: splitWords,
  };
}

const TASKS = { copy: sequences, reverse: sequences, sort: sequences, agreement, pairs: translations };

/** A number of 32 bits made of a text (FNV-1a), mixed once more because one in ten is asked of it. */
function numberOf(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  return (hash ^ (hash >>> 15)) >>> 0;
}

const TRIES = 100_000; // draws for one example: then there is none

/** A task of `settings` in token ids. `pairs`: what "pairs" learns. */
export class Task {
  #source;

  constructor(settings, pairs) {
    this.#source = TASKS[settings.task](settings, pairs);
    this.vocabulary = [...SPECIAL, ...this.#source.words];
    this.ids = new Map(this.vocabulary.map((word, id) => [word, id]));
    this.longestSource = this.#source.longestSource;
    this.longestTarget = this.#source.longestTarget;
  }

  /** An example of the training. */
  draw(random) {
    return this.#draw(random, false);
  }

  /** `count` different examples that no training ever shows, or as many as there are. */
  heldOut(random, count) {
    const found = new Map();
    for (let tries = 0; found.size < count && tries < 100 * count; tries++) {
      const example = this.#draw(random, true);
      found.set(example.source.join(" "), example);
    }
    return [...found.values()];
  }

  #draw(random, heldOut) {
    for (let tries = 0; tries < TRIES; tries++) {
      const { source, target, key } = this.#source.draw(random);
      if ((numberOf(key) % 10 === 0) !== heldOut) continue;
      return { source: source.map((one) => this.ids.get(one)), target: target.map((one) => this.ids.get(one)) };
    }
    throw new Error(`there are too few examples to keep one in ten for the test; make the sequences longer`);
  }

  /** A source that somebody wrote, as ids; an Error names a word that the model has never seen. */
  encode(text) {
    const words = this.#source.split(text);
    const strange = words.find((word) => !this.ids.has(word));
    if (strange)
      throw new Error(`'${strange}' is not in the vocabulary; use ${this.#source.words.slice(0, 10).join(" ")} …`);
    if (!words.length) throw new Error("there is nothing to read; write a source");
    if (words.length > this.longestSource) {
      throw new Error(`the source has ${words.length} tokens, and the model reads ${this.longestSource}; shorten it`);
    }
    return words.map((word) => this.ids.get(word));
  }

  decode(ids) {
    return ids.map((id) => this.vocabulary[id]);
  }
}
