import { engineText, startEngine } from "./engine_start.js";

// One run of the playground: a worker that trains, and all that it told.

// held-out examples: on the page, and counted when a run pauses
const [SHOWN, HELD_OUT] = [8, 100];

/** A run; `changed(kind)` is called when it told something new. Its engine is loaded with the first settings. */
export class Run {
  constructor(changed) {
    Object.assign(this, { changed, engine: null, closed: false });
    this.clear();
  }

  /** Its engine ends at once: what that still had to say is of a run that is no more. */
  clear() {
    this.engine?.close();
    Object.assign(this, { engine: null, about: null, points: [], accuracies: [], norms: [], examples: [], maps: null });
    Object.assign(this, { playing: false, seconds: 0, speed: 0, failed: "", number: 0, why: "", unread: "" });
  }

  /** A model of these settings that has learned nothing. */
  async configure(settings, shown) {
    try {
      const text = await engineText();
      this.clear();
      this.shown = shown.toLowerCase();
      if (this.closed) return;
      const engine = startEngine(text, "serveTraining", (answer) => engine === this.engine && this.#hear(answer));
      this.engine = engine;
      engine.send({ configure: { settings } });
    } catch (error) {
      this.#fail(`the engine could not be loaded (${error.message}); try again`);
    }
  }

  play() {
    Object.assign(this, { playing: true, why: "" });
    this.begun = performance.now() - this.seconds * 1000;
    this.engine.send({ play: true });
  }

  /** `why`: a sentence, where the reader did not ask for it. */
  pause(why = "") {
    if (!this.playing) return;
    this.why = why;
    this.engine.send({ pause: true });
  }

  step() {
    this.why = "";
    this.engine.send({ step: 1 });
  }

  /** Where every head looks while the model answers this text. */
  look(shown) {
    this.shown = shown.toLowerCase(); // no task has capitals
    if (this.about) this.engine.send({ attention: { id: 0, text: this.shown } });
  }

  /** Why its answer to the reader's text may be poor, or "". */
  get strange() {
    const { task, shortest, longest } = this.about?.settings ?? {};
    const count = (this.maps?.source.length ?? 0) - 1; // without the </s>
    if (!["copy", "reverse", "sort"].includes(task) || count < 0 || count >= shortest) return ""; // what is longer, the engine refuses
    return `It learns from texts of ${shortest} to ${longest} symbols; this one has ${count}.`;
  }

  export() {
    this.engine.send({ export: true });
  }

  close() {
    this.closed = true;
    this.clear();
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
    const [[kind, content]] = Object.entries(answer);
    if (kind === "failed") {
      if (answer.id === undefined) return this.failed || this.#fail(content); // what it was asked after that fails, too
      this.unread = `${content}.`;
    }
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
      const { schedule, steps } = this.about.settings;
      if (schedule === "linear" && content === steps) this.why = "Its schedule ends here, at 1 % of the rate.";
      this.#ask(HELD_OUT);
    } else if (kind === "attention") Object.assign(this, { maps: content, unread: "" });
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
