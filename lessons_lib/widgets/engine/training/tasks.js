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

// A small English that becomes French: articles, adjectives and verbs follow the noun's gender and number, some
// adjectives stand behind it, "not" stands on both sides of the verb.
const FRENCH = {
  determiners: [
    { english: ["the", "the"], french: ["le", "la", "les"] },
    { english: ["this", "these"], french: ["ce", "cette", "ces"] },
    { english: ["my", "my"], french: ["mon", "ma", "mes"] },
  ],
  before: [["small", "petit", "petite"], ["big", "grand", "grande"], ["young", "jeune", "jeune"]],
  after: [["black", "noir", "noire"], ["tired", "fatigué", "fatiguée"], ["sad", "triste", "triste"], ["quiet", "calme", "calme"]],
  nouns: [["cat", "chat"], ["dog", "chien"], ["boy", "garçon"], ["king", "roi"], ["girl", "fille"], ["queen", "reine"], ["cow", "vache"], ["hen", "poule"]], // prettier-ignore
  feminine: new Set(["girl", "queen", "cow", "hen"]),
  verbs: [["sleep", "dort", "dorment"], ["sing", "chante", "chantent"], ["run", "court", "courent"], ["eat", "mange", "mangent"], ["see", "voit", "voient"]], // prettier-ignore
};

/** {english, french, plural} of a noun with what belongs to it. */
function translatedNoun(random) {
  const { determiners, before, after, nouns, feminine } = FRENCH;
  const [english, french] = random.choice(nouns);
  const gender = feminine.has(english) ? 1 : 0;
  const plural = random.uniform() < 0.5 ? 1 : 0;
  const determiner = random.choice(determiners);
  const some = (adjectives) => (random.uniform() < 0.4 ? [random.choice(adjectives)] : []);
  const [front, back] = [some(before), some(after)];
  const agreeing = (adjective) => adjective[1 + gender] + (plural ? "s" : "");
  const s = plural ? "s" : "";
  return {
    plural,
    english: [determiner.english[plural], ...[...front, ...back].map(([word]) => word), english + s],
    french: [determiner.french[plural ? 2 : gender], ...front.map(agreeing), french + s, ...back.map(agreeing)],
  };
}

function french() {
  const { determiners, before, after, nouns, verbs } = FRENCH;
  const plurals = (words) => words.flatMap((word) => [word, `${word}s`]);
  const both = [...before, ...after];
  return {
    words: [
      ...new Set([
        ...determiners.flatMap((one) => [...one.english, ...one.french]),
        ...both.flatMap(([english, ...forms]) => [english, ...plurals(forms)]),
        ...nouns.flatMap(plurals),
        ...verbs.flatMap(([english, ...forms]) => [...plurals([english]), ...forms]),
        ...["does", "do", "not", "ne", "pas"],
      ]),
    ],
    longestSource: 11,
    longestTarget: 11,
    draw(random) {
      const subject = translatedNoun(random);
      const [verb, ...forms] = random.choice(verbs);
      const object = verb === "see" ? translatedNoun(random) : { english: [], french: [] };
      const written = forms[subject.plural];
      const [said, meant] =
        random.uniform() < 0.3
          ? [[subject.plural ? "do" : "does", "not", verb], ["ne", written, "pas"]]
          : [[verb + (subject.plural ? "" : "s")], [written]];
      const source = [...subject.english, ...said, ...object.english];
      return { source, target: [...subject.french, ...meant, ...object.french], key: source.join(" ") };
    },
    split: splitWords,
  };
}

const TASKS = { copy: sequences, reverse: sequences, sort: sequences, agreement, french };

/** A number of 32 bits made of a text (FNV-1a), mixed once more because one in ten is asked of it. */
function numberOf(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  return (hash ^ (hash >>> 15)) >>> 0;
}

const TRIES = 100_000; // draws for one example: then there is none

/** A task of `settings` in token ids. */
export class Task {
  #source;

  constructor(settings) {
    this.#source = TASKS[settings.task](settings);
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
