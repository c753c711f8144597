"""The page's loss and gradients are PyTorch's, for every choice and every pair of choices; and so is a training."""

import pytest
import torch
from covering import covering_array
from in_node import in_node
from torch_model import torch_training

from lessons_lib.widgets.engine.training import TRAINING

# Every choice that changes what is computed.
CHOICES = {
    "model": ["encoder-decoder", "decoder-only"],
    "positions": ["none", "sinusoidal", "learned", "rope"],
    "norm": ["none", "pre", "post"],
    "activation": ["relu", "gelu", "swiglu"],
    "causal_mask": [True, False],
    "scale_scores": [True, False],
    "tied": [True, False],
    "n_heads": [1, 2, 3],
    "d_head": [2, 4, 6],  # with SIMD, 4 at a time or not
    "n_layers": [1, 2],
    "d_ff": [7, 16],
    "optimizer": ["sgd", "adam", "adamw"],
    "clip_norm": [0, 0.5],
    "warmup_steps": [0, 2, 4],
    "schedule": ["constant", "inverse_sqrt", "linear"],
    "batch_size": [1, 5, 150],  # of the last, not all tokens are computed at a time
    "simd": [True, False],
}

# What is 0 or 1 at first is moved a little: else a bias that is forgotten would not show.
SCRIPT = """
return given.map(({ settings, simd, steps }) => {
  const training = new Training({ settings, simd });
  const { parameters } = training.model;
  const { test } = training.random;
  for (const { value, start } of parameters.list)
    if (["zeros", "ones"].includes(start)) value.forEach((one, i) => (value[i] += 0.05 * test.normal()));
  const tensors = (key) => Object.fromEntries(
    parameters.list.map((one) => [one.name, { shape: one.shape, numbers: [...one[key]] }]),
  );
  const start = tensors("value");
  let gradients = null;
  const record = () => {
    const examples = Array.from(
      { length: training.settings.batch_size },
      () => training.task.draw(training.random.data),
    );
    const slices = training.learn(examples);
    let [slice, last, pieces] = [slices.next(), null, 0];
    for (; !slice.done; slice = slices.next(), pieces++) if (!gradients) last = tensors("gradient");
    gradients ??= last;
    return { examples, pieces, ...slice.value };
  };
  const records = Array.from({ length: steps }, record);
  const about = { settings: training.settings, config: training.config, simd: training.kernels.simd };
  return { ...about, start, gradients, steps: records };
});
"""


def settings_of(row: dict) -> dict:
    """A row of choices as settings: sequences of 1 to 6 digits, so that lengths differ in a batch."""
    row = dict(row)
    simd, d_model = row.pop("simd"), row["n_heads"] * row.pop("d_head")
    task = {"symbols": "digits", "shortest": 1, "longest": 6, "steps": 3}
    return {"settings": {**row, **task, "d_model": d_model, "learning_rate": 0.002, "weight_decay": 0.1}, "simd": simd}


def test_loss_and_every_gradient_for_all_pairs_of_choices(unchecked_shapes):
    rows = [settings_of(row) | {"steps": 3} for row in covering_array(CHOICES)]
    in_pieces = set()
    for row, found in zip(rows, in_node(TRAINING, SCRIPT, rows), strict=True):
        losses, norms, gradients = torch_training(found)
        about = str(row)
        assert found["simd"] == row["simd"]
        assert [one["loss"] for one in found["steps"]] == pytest.approx(losses, rel=1e-4, abs=1e-4), about
        assert [one["gradientNorm"] for one in found["steps"]] == pytest.approx(norms, rel=1e-4, abs=1e-4), about
        assert set(found["gradients"]) == set(gradients), about
        for name, gradient in gradients.items():
            ours = torch.tensor(found["gradients"][name]["numbers"], dtype=torch.float64).view(gradient.shape)
            torch.testing.assert_close(ours, gradient, rtol=1e-4, atol=1e-4, msg=f"{name}: {about}")
        in_pieces.add(found["steps"][0]["pieces"] > 1)
    assert in_pieces == {True, False}


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_a_hundred_steps_give_the_losses_of_pytorch(unchecked_shapes, optimizer):
    settings = {
        "optimizer": optimizer,
        "learning_rate": {"sgd": 0.05}.get(optimizer, 0.005),
        "warmup_steps": 20,
        "steps": 90,
    }
    sizes = {"d_model": 16, "n_heads": 2, "d_ff": 24, "batch_size": 8, "symbols": "digits", "shortest": 1, "longest": 6}
    (found,) = in_node(TRAINING, SCRIPT, [{"settings": settings | sizes, "simd": "auto", "steps": 100}])
    losses, _, _ = torch_training(found)
    assert [one["loss"] for one in found["steps"]] == pytest.approx(losses, abs=1e-3)
    assert losses[-1] < losses[0] - 0.2
