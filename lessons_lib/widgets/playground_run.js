import { engineText, startEngine } from "./engine_start.js";

// One run of the playground: a worker that trains, and all that it told.

const [SHOWN, HELD_OUT] = [8, 100]; // held-out examples: on the page, and counted when a run pauses

/** A run; `changed(kind)` is called when it told something new. Its engine is loaded with the first settings. */
export class Run {
  constructor(changed) {
    Object.assign(this, { changed, engine: null, closed: false });
    this.clear();
  }

  clear() {
    Object.assign(this, { about: null, points: [], accuracies: [], norms: [], examples: [], maps: null });
    Object.assign(this, { playing: false, seconds: 0, speed: 0, failed: "", number: 0 });
  }

  /** A model of these settings that has learned nothing. */
  async configure(settings, shown) {
    this.clear();
    this.shown = shown;
    try {
      const text = await engineText();
      if (this.closed) return;
      this.engine ??= startEngine(text, "serveTraining", (answer) => this.#hear(answer));
      this.engine.send({ configure: { settings } });
    } catch (error) {
      this.#fail(`The engine could not be loaded: ${error.message}. Try again.`);
    }
  }

  play() {
    this.playing = true;
    this.begun = performance.now() - this.seconds * 1000;
    this.engine.send({ play: true });
  }

  pause() {
    if (this.engine && this.playing) this.engine.send({ pause: true });
  }

  step() {
    this.engine.send({ step: 1 });
  }

  /** Where every head looks while the model answers this text. */
  look(shown) {
    this.shown = shown;
    if (this.about) this.engine.send({ attention: { id: 0, text: shown } });
  }

  export() {
    this.engine.send({ export: true });
  }

  close() {
    this.closed = true;
    this.engine?.close();
    this.engine = null;
  }

  get last() {
    return this.points.at(-1) ?? null;
  }

  get accuracy() {
    return this.accuracies.at(-1) ?? null;
  }

  #ask(count) {
    this.engine.send({ examine: { count } });
    this.look(this.shown);
  }

  #fail(text) {
    Object.assign(this, { failed: text, playing: false });
    this.changed("failed");
  }

  #hear(answer) {
    if (!this.engine) return; // it was closed
    const [[kind, content]] = Object.entries(answer);
    if (kind === "failed") return this.#fail(content);
    if (kind === "ready") {
      this.about = content;
      this.changed("ready");
      this.#ask(SHOWN);
    } else if (kind === "report") {
      this.points.push(...content.points);
      Object.assign(this, { number: content.number, norms: content.norms, speed: content.tokensPerSecond });
      if (this.playing) this.seconds = (performance.now() - this.begun) / 1000;
      if (content.accuracy) {
        this.accuracies.push(content.accuracy);
        this.#ask(SHOWN);
      }
    } else if (kind === "paused") {
      this.playing = false;
      this.#ask(HELD_OUT);
    } else if (kind === "attention") this.maps = content;
    else if (kind === "examined") {
      this.examples = content.examples.slice(0, SHOWN);
      if (content.count > SHOWN) this.accuracies.push(content);
    }
    else if (kind === "exported") this.exported = content;
    this.changed(kind);
  }
}

/** The run as a table: step, loss, length of the gradient, rate, share of held-out examples that are right. */
export function toCsv({ points, accuracies }) {
  const right = new Map(accuracies.map(({ number, accuracy }) => [number, accuracy]));
  const rows = points.map(({ number, loss, gradientNorm, rate }) => [number, loss, gradientNorm, rate, right.get(number) ?? ""]);
  return [["step", "loss", "gradient_norm", "learning_rate", "held_out_accuracy"], ...rows].map((row) => row.join(",")).join("\n");
}
