"""What the page's training does beside its arithmetic: its data, dropout, writing, attention, files, errors."""

import base64

import pytest
import torch
from in_node import in_node
from torch_model import EOS, TorchModel, library_config, read_safetensors

from lessons_lib.attention import recorded_attention
from lessons_lib.transformer import Transformer
from lessons_lib.widgets.engine.training import TRAINING

SMALL = {"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 16, "symbols": "digits", "shortest": 2, "longest": 5}


def run(script: str, given=None):
    return in_node(TRAINING, script, given)


# --- tasks -----------------------------------------------------------------------------------------------------------

DRAW = """
return given.map(([settings, seed]) => {
  const task = new Task(checkedSettings(settings));
  const words = ({ source, target }) => [task.decode(source), task.decode(target)];
  const random = new Random(seed);
  const train = Array.from({ length: 2000 }, () => words(task.draw(random)));
  return { train, test: task.heldOut(new Random(seed + 1), 100).map(words), ...task };
});
"""


def is_right(task: str, source: list[str], target: list[str]) -> bool:
    if task == "agreement":
        nouns = [i for i, word in enumerate(source) if word.rstrip("s") in NOUNS]
        number = lambda i: "many" if source[i].endswith("s") else "one"  # noqa: E731
        phrase = lambda i: min((n for n in nouns if n > i), default=nouns[0])  # noqa: E731
        asked = lambda i: i not in nouns and source[i] not in ("near", "behind", "beside")  # noqa: E731
        return target == [number(phrase(i)) if asked(i) else "–" for i in range(len(source))]
    if task == "french":
        return target == in_french(source)
    return target == {"copy": source, "reverse": source[::-1], "sort": sorted(source)}[task]


NOUNS = "cat dog girl boy house table garden bridge teacher tree".split()


MASCULINE = {"cat": "chat", "dog": "chien", "boy": "garçon", "king": "roi"}
FEMININE = {"girl": "fille", "queen": "reine", "cow": "vache", "hen": "poule"}
FORMS = {"the": "le la les", "this": "ce cette", "these": ". . ces", "my": "mon ma mes"}
AGREEING = {"small": "petit petite", "big": "grand grande", "young": "jeune jeune", "black": "noir noire"}
AGREEING |= {"tired": "fatigué fatiguée", "sad": "triste triste", "quiet": "calme calme"}
VERBS = {
    "sleep": "dort dorment",
    "sing": "chante chantent",
    "run": "court courent",
    "eat": "mange mangent",
    "see": "voit voient",
}


def in_french(source: list[str]) -> list[str]:
    """Word by word from the left, as a person would: a noun's phrase, the verb and its "not", another phrase."""
    words, said, many = [*source], [], False
    while words:
        if words[0] in FORMS:
            end = next(i for i, word in enumerate(words) if word.removesuffix("s") in MASCULINE | FEMININE)
            (determiner, *adjectives), noun, words = words[:end], words[end], words[end + 1 :]
            plural, one = noun.endswith("s"), noun.removesuffix("s")
            gender, s = int(one in FEMININE), "s" * plural
            many = many if said else plural
            agreed = {word: AGREEING[word].split()[gender] + s for word in adjectives}
            front = [agreed[word] for word in adjectives if word in ("small", "big", "young")]
            back = [agreed[word] for word in adjectives if word not in ("small", "big", "young")]
            said += [FORMS[determiner].split()[2 if plural else gender], *front, (MASCULINE | FEMININE)[one] + s, *back]
        else:
            no = words[0] in ("do", "does")
            verb, words = (words[2], words[3:]) if no else (words[0], words[1:])
            assert (source[source.index(verb) - 2] == "do" if no else not verb.endswith("s")) == many
            written = VERBS[verb.removesuffix("s")].split()[many]
            said += ["ne", written, "pas"] if no else [written]
    return said


def test_tasks_say_what_is_right_and_keep_their_test_apart():
    settings = [{"task": task} for task in ("copy", "reverse", "sort", "agreement", "french")]
    settings += [{"task": "sort", "symbols": "digits", "shortest": 1, "longest": 4}]
    asked = [[one, seed] for one in settings for seed in (0, 0, 1)]
    drawn = run(DRAW, asked)
    for (one, _), found in zip(asked, drawn, strict=True):
        examples = found["train"] + found["test"]
        assert all(is_right(one["task"], *example) for example in examples)
        train, test = ({tuple(source) for source, _ in found[part]} for part in ("train", "test"))
        assert not train & test
        assert len(test) == len(found["test"]) > 20
        assert max(len(source) for source, _ in examples) <= found["longestSource"]
        assert max(len(target) for _, target in examples) <= found["longestTarget"]
    for same, again, other in zip(*[iter(drawn)] * 3, strict=True):
        assert same == again != other
        test, train = ({tuple(source) for source, _ in part} for part in (same["test"], other["train"]))
        assert not train & test, "whatever the seeds"


def test_a_sentence_is_held_out_in_all_its_versions():
    (found,) = run(DRAW, [[{"task": "agreement"}, 0]])
    alike = lambda source: tuple(word.rstrip("s") if word.rstrip("s") in NOUNS else word for word in source)  # noqa: E731
    train, test = ({alike(source) for source, _ in found[part]} for part in ("train", "test"))
    assert not train & test


# --- dropout ---------------------------------------------------------------------------------------------------------

DROP = """
return given.map(([seed, p]) => {
  const dropout = new Dropout({ kernels: createKernels(), config: { dropout: p }, random: new Random(seed, 1) }, 40001);
  const [x, ones] = [new Float32Array(40001).fill(1), new Float32Array(40001).fill(1)];
  dropout.forward(x, x.length, true);
  const gradient = dropout.backward(ones, ones.length);
  const whole = new Float32Array(3).fill(1);
  dropout.forward(whole, 3, false);
  return [[...x], x.every((one, i) => one === gradient[i]), [...whole, ...dropout.backward(whole, 3)]];
});
"""


def test_dropout_keeps_the_mean_and_repeats_with_its_seed():
    (x, same_gradient, untrained), (again, *_), (other, *_) = run(DROP, [[0, 0.3], [0, 0.3], [1, 0.3]])
    assert same_gradient
    assert untrained == [1] * 6, "outside training it does nothing"
    assert x == again != other
    dropped = x.count(0) / len(x)
    assert dropped == pytest.approx(0.3, abs=5 * (0.3 * 0.7 / len(x)) ** 0.5)
    assert sorted(set(x)) == pytest.approx([0, 1 / 0.7])
    assert sum(x) / len(x) == pytest.approx((1 - dropped) / 0.7)


def test_a_training_with_dropout_repeats_with_its_seed_and_learns():
    losses = """return given.map((settings) => {
      const training = new Training({ settings });
      return Array.from({ length: 60 }, () => training.step().loss);
    });"""
    first, again, other, without = run(losses, [SMALL | one for one in DROPOUTS])
    assert first == again
    assert len({first[0], other[0], without[0]}) == 3
    assert sum(first[-10:]) < sum(first[:10]) - 2


DROPOUTS = ({"dropout": 0.2}, {"dropout": 0.2}, {"dropout": 0.2, "seed": 1}, {"dropout": 0})


# --- what a trained model writes and where it looks -------------------------------------------------------------------

LEARN = """
return given.map((settings) => {
  const training = new Training({ settings });
  for (let i = 0; i < 150; i++) training.step();
  const before = training.kernels.mark();
  for (let i = 0; i < 5; i++) training.step();
  const examined = training.evaluate(40);
  const texts = examined.examples.slice(0, 3).map(({ source }) => source);
  const looked = texts.map((text) => training.attention(text));
  const metadata = { config: JSON.stringify(training.config) };
  const file = safetensorsOf(training.model.parameters, metadata);
  const grown = training.kernels.mark() - before;
  return { examined, looked, grown, file: Buffer.from(file).toString("base64"), vocabulary: training.task.vocabulary };
});
"""


def test_it_writes_what_pytorch_finds_likeliest_and_looks_where_pytorch_looks(unchecked_shapes):
    choices = [{"task": "copy", "learning_rate": 0.02, "positions": "rope"}, {"model": "decoder-only"}]
    for learned in run(LEARN, [SMALL | one for one in choices]):
        assert learned["grown"] == 0, "no memory is taken after the beginning"
        metadata, state = read_safetensors(base64.b64decode(learned["file"]))
        model = TorchModel(metadata["config"], state)
        ids = {word: i for i, word in enumerate(learned["vocabulary"])}
        numbers = lambda text, ids=ids: [ids[word] for word in text.split()]  # noqa: E731
        for one in learned["examined"]["examples"]:
            source, said = numbers(one["source"]), numbers(one["said"])
            best = model.logits([source], [said])[0].argmax(-1).tolist()[-len(said) - 1 :]
            assert best[:-1] == said
            assert best[-1] == EOS or len(said) == SMALL["longest"] + 1
        for one in learned["looked"]:
            source, said = one["source"][:-1], one["said"]
            with recorded_attention(model.model) as weights:
                given = source or one["target"][: one["target"].index("</s>")]
                model.logits([[ids[word] for word in given]], [[ids[word] for word in said]])
            ours = [layer for side in ("encoder", "decoder", "cross") for layer in one[side]]
            side = lambda name: 2 if "cross" in name else name.startswith("decoder")  # noqa: E731
            theirs = [weights[name][0] for name in sorted(weights, key=side)]
            for layer, expected in zip(ours, theirs, strict=True):
                torch.testing.assert_close(torch.tensor(layer, dtype=torch.float64), expected, rtol=0, atol=1e-5)


def test_a_short_copy_is_learned_and_told_as_it_is():
    settings = SMALL | {"task": "copy", "longest": 3, "learning_rate": 0.01, "d_model": 32, "norm": "pre"}
    script = """const training = new Training({ settings: given });
    const first = training.evaluate(50);
    for (let i = 0; i < 400; i++) training.step();
    return { first, last: training.evaluate(50) };"""
    found = run(script, settings)
    assert found["first"]["accuracy"] < 0.1
    assert found["last"]["accuracy"] > 0.9
    for part in found.values():
        right = sum(one["said"] == one["target"] for one in part["examples"])
        assert part["right"] == right == round(part["accuracy"] * part["count"])


def test_an_export_loads_into_the_library():
    script = """const training = new Training({ settings: given });
    const file = safetensorsOf(training.model.parameters, { config: JSON.stringify(training.config) });
    return [Buffer.from(file).toString("base64"), training.model.parameters.count];"""
    data, count = run(script, SMALL | {"positions": "learned", "activation": "swiglu", "tied": False})
    metadata, state = read_safetensors(base64.b64decode(data))
    model = Transformer(library_config(metadata["config"]))
    model.load_state_dict(state)
    assert sum(one.numel() for one in model.parameters()) == count


# --- going on, and going wrong ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_state_goes_on_as_if_nothing_had_happened(optimizer):
    script = """const make = () => new Training({ settings: given });
    const steps = (training) => Array.from({ length: 5 }, () => training.step().loss);
    const first = make();
    steps(first);
    const state = structuredClone(first.state());
    const expected = steps(first);
    const second = make();
    second.load(state);
    return [expected, steps(second), steps(make())];"""
    expected, found, from_the_start = run(script, SMALL | {"optimizer": optimizer, "dropout": 0.1})
    assert found == expected != from_the_start


def test_a_rate_that_is_too_high_is_named():
    script = """const training = new Training({ settings: given });
    try { for (let i = 0; i < 500; i++) training.step(); } catch (error) { return error.message; }"""
    settings = SMALL | {"optimizer": "sgd", "learning_rate": 1e6, "norm": "none", "clip_norm": 0, "warmup_steps": 0}
    said = run(script, settings)
    assert "the loss is no number any more: learning_rate=1000000 is too high for sgd; use a tenth of it" in said


WRONG = {
    "d_model=30 is not divisible by n_heads=4; use 1, 2, 3, 5, 6, 10, 15": {"d_model": 30},
    "norm=middle is not known; use one of none, pre, post": {"norm": "middle"},
    "speed is no setting; use one of": {"speed": 3},
    "batch_size=0 is not a whole number from 1 on; use 32": {"batch_size": 0},
    "learning_rate=-1 is not a number from 0 on": {"learning_rate": -1},
    "dropout=1 is not a probability below 1": {"dropout": 1},
    "d_model=12 makes 4 heads of odd width, which RoPE cannot turn; use 8": {"d_model": 12, "positions": "rope"},
    "shortest=9 is more than longest=3": {"shortest": 9, "longest": 3},
}


def test_what_cannot_be_is_said_with_what_can():
    script = """return given.map((settings) => {
      try { new Training({ settings }); } catch (error) { return error.message; }
    });"""
    for expected, said in zip(WRONG, run(script, list(WRONG.values())), strict=True):
        assert said.startswith(expected)


def test_a_text_that_it_cannot_read_is_refused():
    script = """const training = new Training({ settings: given });
    return ["12a", "123456", " "].map((text) => {
      try { training.attention(text); } catch (error) { return error.message; }
    });"""
    strange, long, empty = run(script, SMALL)
    assert strange.startswith("'a' is not in the vocabulary; use 0 1 2")
    assert long == "the source has 6 tokens, and the model reads 5; shorten it"
    assert empty == "there is nothing to read; write a source"
