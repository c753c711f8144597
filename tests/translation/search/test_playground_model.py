"""A model that the playground handed out writes in Python what it wrote in the page; what is none is refused."""

import base64
import json
import re

import pytest
import torch
from in_node import in_node
from safetensors import safe_open
from safetensors.torch import save_file

from lessons_lib.cli import main
from lessons_lib.translation.search.translator import Translator
from lessons_lib.widgets.engine.training import TRAINING

SMALL = {
    "d_model": 32,
    "n_heads": 2,
    "n_layers": 1,
    "d_ff": 64,
    "learning_rate": 0.01,
    "warmup_steps": 20,
    "steps": 300,
}
TASKS = {
    "reverse": SMALL | {"task": "reverse", "symbols": "digits", "shortest": 2, "longest": 5, "positions": "rope"},
    "french": SMALL | {"task": "french", "norm": "post", "activation": "swiglu", "tied": False},
}
TRAIN = """
const made = {};
for (const [name, settings] of Object.entries(given)) {
  let file;
  const training = new Training({ settings });
  while (training.number < settings.steps) training.step();
  const texts = { settings: training.settings, config: training.config, vocabulary: training.task.vocabulary };
  const metadata = Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, JSON.stringify(value)]));
  file = safetensorsOf(training.model.parameters, metadata);
  made[name] = { file: Buffer.from(file).toString("base64"), examples: training.evaluate(60).examples };
}
return made;
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """For each task the file, and held-out examples with what the page wrote."""
    found = {}
    for name, made in in_node(TRAINING, TRAIN, TASKS).items():
        path = tmp_path_factory.mktemp("playground") / f"{name}.safetensors"
        path.write_bytes(base64.b64decode(made["file"]))
        found[name] = (path, made["examples"])
    return found


@pytest.mark.parametrize("task", TASKS)
def test_it_writes_what_the_page_wrote(trained, task):
    path, examples = trained[task]
    translator = Translator.load(path, "cpu")
    blank = " " if task == "french" else ""
    ended = [one for one in examples if len(one["said"].split()) <= len(one["target"].split())]  # not cut off
    assert len(ended) > 40
    written = translator.translate([one["source"].replace(" ", blank) for one in ended])
    assert [one.text for one in written] == [one["said"].replace(" ", blank) for one in ended]
    assert written[0].word_attention().shape == tuple(len(ended[0][side].split()) for side in ("said", "source"))


def test_the_command_translates_with_it(trained, capsys):
    path, examples = trained["french"]
    assert main(["translate", "--model", str(path), examples[0]["source"]]) == 0
    assert capsys.readouterr().out == examples[0]["said"] + "\n"
    assert main(["translate", "--model", str(path), "the zebra sleeps"]) == 2
    assert "'zebra' is none of the" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"settings": {"model": "decoder-only"}}, "a decoder alone"),
        ({"config": {"causal_mask": False}}, "causal_mask=False, which only the playground computes"),
        ({"config": {"scale_scores": False}}, "scale_scores=False"),
        ({"config": {"norm": "none"}}, "norm=none"),
        ({"config": {"d_ff": 10**12}}, "not of the shapes"),
        ({"config": {"n_decoder_layers": 10**12}}, "layers"),
        ({"config": {"positions": "?"}}, "positions"),
        ({"vocabulary": ["a"]}, "its vocabulary"),
        ({"vocabulary": None}, "its vocabulary"),
        (None, "KeyError: 'settings'"),
    ],
)
def test_what_it_cannot_be_is_said(trained, tmp_path, change, told):
    with safe_open(trained["french"][0], framework="pt") as file:
        metadata, weights = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for name, value in (change or {}).items():
        old = json.loads(metadata[name])
        metadata[name] = json.dumps(old | value if isinstance(value, dict) else value)
    path = tmp_path / "changed.safetensors"
    save_file(weights, path, metadata if change else None)
    with pytest.raises(ValueError, match=re.escape(told)) as error:
        Translator.load(path, "cpu")
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_cut_off_or_holds_no_numbers(trained, tmp_path):
    path, whole = tmp_path / "cut.safetensors", trained["french"][0].read_bytes()
    for data in (b"", whole[:5], whole[: len(whole) // 2], b"<!doctype html>" * 9):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"is not a model of the playground|damaged"):
            Translator.load(path, "cpu")
    with safe_open(trained["french"][0], framework="pt") as file:
        metadata, weights = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    weights["embedding.weight"][0, 0] = torch.nan
    save_file(weights, path, metadata)
    with pytest.raises(ValueError, match="no number"):
        Translator.load(path, "cpu")
    with pytest.raises(OSError, match="missing"):
        Translator.load(tmp_path / "missing.safetensors", "cpu")
