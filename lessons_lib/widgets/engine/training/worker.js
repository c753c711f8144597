import { safetensorsOf } from "./safetensors.js";
import { Training } from "./training.js";

// What the page asks and what it hears. One worker is one training: two side by side are two workers.
//   {configure: {settings, simd}}  -> {ready: {settings, config, parameters, parts, vocabulary, simd}}
//   {reset: {seed}}                   the same from the beginning -> {ready}
//   {play: true}, {pause: true}, {step: how many}  -> {report} again and again, {paused: number of steps} at the end
//   {attention: {id, text}}           -> {attention: {id, …}}, as Training.attention
//   {examine: {count}}                -> {examined: …}, as Training.examine
//   {export: true}                    -> {exported: a file of safetensors}
//   {stop: true}                      -> nothing: what was under way ends, and the training is let go
// It also pauses where a schedule ends. What cannot be done: {failed: why, id}. A report is
//   {number, points: [{number, loss, gradientNorm, rate}] since the last one, norms: [{part, norm}], tokensPerSecond,
//    accuracy: {number, right, count, accuracy} if held-out examples were written since the last one}

const HEARD = 30; // milliseconds at work before the next look for messages
const REPORTED = 100; // milliseconds from report to report
const EXAMINED = 2000; // milliseconds of training from one look at held-out examples to the next
const COUNT = 100; // of them

/** A function that takes messages; `post` gets the answers. */
export function serveTraining(post, { examined = EXAMINED } = {}) {
  let [made, training, working] = [null, null, false];
  let steps = 0; // still to do
  const asked = []; // what is worked off between two steps

  function configure(given) {
    const next = new Training(given); // settings that cannot be fail here, and the old training stays
    [made, training, steps] = [given, next, 0];
    const { settings, config, parts, task, kernels, model } = training;
    const about = { settings, config, parameters: model.parameters.count, vocabulary: task.vocabulary };
    post({ ready: { ...about, parts: parts.map(({ part }) => part), simd: kernels.simd } });
  }

  const answers = {
    configure,
    play: () => (steps = Infinity),
    step: (more) => (steps = more),
    stop: () => (training = null),
    pause() {
      steps = 0;
      post({ paused: training.number });
    },
    reset: ({ seed }) => configure({ ...made, settings: { ...made.settings, seed } }),
    attention: ({ id, text }) => post({ attention: { id, ...training.attention(text) } }),
    async examine({ count }, inSlices) {
      const { number } = training;
      post({ examined: { number, ...(await inSlices(training.examine(count))) } });
    },
    export() {
      const metadata = { settings: training.settings, config: training.config, vocabulary: training.task.vocabulary };
      const texts = Object.entries(metadata).map(([name, value]) => [name, JSON.stringify(value)]);
      post({ exported: safetensorsOf(training.model.parameters, Object.fromEntries(texts)) });
    },
  };

  async function answer(inSlices) {
    while (asked.length) {
      const [kind, content] = asked.shift();
      try {
        if (!training && kind !== "configure") throw new Error("there is no training yet; configure one");
        await answers[kind](content, inSlices);
      } catch (error) {
        post({ failed: error.message, id: content?.id });
      }
    }
  }

  /** Works off steps and questions, and listens in between. */
  async function work() {
    if (working) return;
    working = true;
    const { port1, port2 } = new MessageChannel(); // a timeout of 0 would cost 4 ms each time
    const listen = () => new Promise((go) => ((port2.onmessage = go), port1.postMessage(null)));
    let rested = performance.now();
    /** What a generator returns; null if `stop` says so in between. */
    const inSlices = async (slices, stop = () => false) => {
      for (let slice = slices.next(); ; slice = slices.next()) {
        if (slice.done) return slice.value;
        if (performance.now() - rested < HEARD) continue;
        await listen();
        rested = performance.now();
        if (stop()) return null;
      }
    };
    let report = emptyReport();
    let [begun, trained] = [performance.now(), 0]; // of this report, since the last look at held-out examples
    const send = () => {
      const seconds = (performance.now() - begun) / 1000;
      if (report.points.length) post({ report: { ...report, tokensPerSecond: report.tokens / seconds } });
      [report, begun] = [emptyReport(), performance.now()];
    };
    while (steps > 0 || asked.length) {
      if (asked.length) {
        send();
        await answer(inSlices);
        continue;
      }
      const start = performance.now();
      let ended = false;
      try {
        note(report, await inSlices(training.steps()));
        if (steps > 0) ended = --steps === 0 || atTheEnd(training); // else it was told to pause
        if (ended) steps = 0;
      } catch (error) {
        steps = 0;
        ended = true;
        post({ failed: error.message });
      }
      trained += performance.now() - start;
      if (trained > examined && steps > 0) {
        const result = await inSlices(training.examine(COUNT), () => asked.length > 0);
        if (result) report.accuracy = { number: training.number, ...result, examples: undefined };
        if (result) trained = 0;
      }
      if (performance.now() - begun > REPORTED || ended) send();
      if (ended) post({ paused: training.number });
      if (performance.now() - rested < HEARD) continue;
      await listen();
      rested = performance.now();
    }
    port1.close();
    working = false;
  }

  return (message) => {
    asked.push(Object.entries(message)[0]);
    if (message.pause || message.stop) steps = 0; // at once; the others are worked off in their order
    return work();
  };
}

const emptyReport = () => ({ number: 0, points: [], norms: [], tokens: 0, accuracy: null });

/** Whether its rate is as low now as it will ever be. */
const atTheEnd = ({ number, settings }) => settings.schedule === "linear" && number === settings.steps;

function note(report, { number, loss, gradientNorm, rate, norms, tokens }) {
  report.points.push({ number, loss, gradientNorm, rate });
  report.tokens += tokens;
  Object.assign(report, { number, norms });
}

if (typeof WorkerGlobalScope !== "undefined" && globalThis instanceof WorkerGlobalScope) {
  const take = serveTraining((message) => postMessage(message));
  onmessage = ({ data }) => take(data);
}
