// Byte-pair encoding, as lessons_lib/translation/data/tokenizer.py has it: the same ids for every text.

const EOS = 2;
const FIRST_BYTE = 3; // the 256 bytes follow on <pad>, <s> and </s>
// The pattern of tokenizer.py in JavaScript, whose \b and \s know other letters and spaces than that library's.
const CONTRACTION = "'(?:s|t|re|ve|ll|m|d)(?![\\p{Alphabetic}\\p{M}\\p{Decimal_Number}\\p{Pc}])";
const SPACE = "\\t-\\r\\x85\\p{Z}";
const PATTERN = new RegExp(
  ` ?\\p{L}+(?=${CONTRACTION})|${CONTRACTION}| ?[\\p{L}\\p{M}]+['’]?| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|[${SPACE}]`,
  "gu",
);
const UNITS = /[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu; // what `seen_words` of web.py counts as a word
/** Text to token ids and back, with the pieces, merges and seen words of a file that `readModel` read. */
export class Tokenizer {
  constructor({ pieces, merges, words }) {
    this.vocabulary = pieces;
    this.ids = new Map(pieces.map((piece, id) => [piece, id]));
    this.merges = new Map(); // pair of ids -> {rank, id}
    for (let i = 0; i < merges.length; i += 2) {
      const id = this.ids.get(pieces[merges[i]] + pieces[merges[i + 1]]);
      this.merges.set(this.#pair(merges[i], merges[i + 1]), { rank: i, id });
    }
    this.words = words && new Set(words);
  }

  #pair(first, second) {
    return first * this.vocabulary.length + second;
  }

  /** Token ids, without <s> and </s>. */
  encode(text) {
    return [...` ${text}`.matchAll(PATTERN)].flatMap(([chunk]) => this.#merge(chunk));
  }

  /** The letters of a chunk, or the bytes of those that the vocabulary lacks; then merges, the first learned first. */
  #merge(chunk) {
    const ids = [];
    for (const letter of chunk)
      if (this.ids.has(letter)) ids.push(this.ids.get(letter));
      else for (const byte of new TextEncoder().encode(letter)) ids.push(FIRST_BYTE + byte);
    for (;;) {
      let [best, at] = [null, 0];
      for (let i = 0; i + 1 < ids.length; i++) {
        const merge = this.merges.get(this.#pair(ids[i], ids[i + 1]));
        if (merge && (!best || merge.rank < best.rank)) [best, at] = [merge, i];
      }
      if (!best) return ids;
      ids.splice(at, 2, best.id);
    }
  }

  /** The text; bytes that make no letter become �. */
  decode(ids) {
    let [text, bytes] = ["", []];
    const flush = () => {
      try {
        text += new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
      } catch {
        text += "�".repeat(bytes.length);
      }
      bytes = [];
    };
    for (const id of ids.filter((one) => one > EOS))
      if (id < FIRST_BYTE + 256) bytes.push(id - FIRST_BYTE);
      else {
        flush();
        text += this.vocabulary[id];
      }
    flush();
    return text.startsWith(" ") ? text.slice(1) : text;
  }

  /** The pieces as people read them: ▁ marks a space. */
  pieces(ids) {
    return ids.map((id) => this.vocabulary[id].replaceAll(" ", "▁"));
  }

  /** For each token the index of its word, null for </s> and bare blanks; and the words. */
  wordsOf(ids) {
    const spans = [];
    let raw = ""; // a sign a byte
    for (const id of ids) {
      const start = raw.length;
      if (id >= FIRST_BYTE + 256)
        for (const byte of new TextEncoder().encode(this.vocabulary[id])) raw += String.fromCharCode(byte);
      else if (id > EOS) raw += String.fromCharCode(id - FIRST_BYTE);
      spans.push([start, raw.length]);
    }
    const words = [...raw.matchAll(/[^ \t-\r]+/g)].map((match) => [match.index, match.index + match[0].length]);
    let word = 0;
    const found = spans.map(([start, stop]) => {
      while (word < words.length && words[word][1] <= start) word++;
      return word < words.length && start < stop && words[word][0] < stop ? word : null;
    });
    const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
    const text = ([start, stop]) => utf8.decode(Uint8Array.from(raw.slice(start, stop), (sign) => sign.charCodeAt(0)));
    return { of: found, words: words.map(text) };
  }

  /** What the training never had, each with what it had instead, if only the capital is new; null if nobody knows. */
  unseen(text) {
    if (!this.words) return null;
    const units = new Set(text.match(UNITS) ?? []);
    return [...units]
      .filter((unit) => !this.words.has(unit))
      .map((unit) => {
        const capital = unit[0].toUpperCase() + unit.slice(1).toLowerCase();
        return { unit, seen: [unit.toLowerCase(), capital].find((other) => this.words.has(other)) ?? null };
      });
  }
}
