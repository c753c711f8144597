"""The playground's loss and gradients are PyTorch's, for every choice and every pair of choices; and so is a training."""

import pytest
import torch
from in_node import in_node
from torch_model import CHOICES, TorchModel, covering_array, torch_optimizer

from lessons_lib.widgets.engine.training import TRAINING

# For each settings: what the model is at first, the examples of every step, the losses, the first gradients.
SCRIPT = """
return given.map(({ settings, simd, steps }) => {
  const training = new Training({ settings, simd });
  const { parameters } = training.model;
  for (const { value, start } of parameters.list) if (["zeros", "ones"].includes(start)) for (let i = 0; i < value.length; i++) value[i] += 0.05 * training.random.test.normal();
  const lists = (key) => Object.fromEntries(parameters.list.map((one) => [one.name, [...one[key]]]));
  const start = lists("value");
  const records = [];
  let gradients;
  for (let i = 0; i < steps; i++) {
    const examples = Array.from({ length: training.settings.batch_size }, () => training.task.draw(training.random.data));
    const slices = training.learn(examples);
    let slice = slices.next();
    while (!slice.done) {
      if (i === 0) gradients = lists("gradient");
      slice = slices.next();
    }
    const { loss, gradientNorm, rate, norms } = slice.value;
    records.push({ examples, loss, gradientNorm, rate, norms });
  }
  const { settings: all, config, kernels } = training;
  return { settings: all, config, simd: kernels.simd, start, records, gradients, shapes: parameters.list.map(({ name, shape }) => [name, shape]) };
});
"""


def run(rows: list[dict], steps: int) -> list[dict]:
    return in_node(TRAINING, SCRIPT, [{"steps": steps, "simd": True, **row} for row in rows])


def task_of(row: dict) -> dict:
    """A row of the array as what a training takes: sequences of 1 to 6 digits, so that lengths differ in a batch."""
    row = dict(row)
    simd, d_head = row.pop("simd"), row.pop("d_head")
    sizes = {"d_model": row["n_heads"] * d_head, "symbols": "digits", "shortest": 1, "longest": 6}
    rate = {"sgd": 0.002, "adam": 2e-3, "adamw": 2e-3}[row["optimizer"]]
    return {"settings": {**row, **sizes, "learning_rate": rate, "weight_decay": 0.1}, "simd": simd}


def torch_of(found: dict) -> TorchModel:
    """PyTorch's model with the weights that ours began with, in double precision: what differs is our own error."""
    torch_model = TorchModel(found["settings"], found["config"])
    shapes = {name: shape for name, shape in found["shapes"]}
    state = {
        name: torch.tensor(numbers, dtype=torch.float32).view(shapes[name]) for name, numbers in found["start"].items()
    }
    torch_model.model.load_state_dict(state)
    return torch_model.double()


def torch_records(found: dict) -> tuple[list[float], list[float], dict]:
    """The losses and gradient norms of the same training in PyTorch, and its first gradients."""
    model, settings = torch_of(found), found["settings"]
    optimizer = torch_optimizer(model, settings)
    losses, norms, gradients = [], [], None
    for record in found["records"]:
        optimizer.zero_grad()
        loss = model.loss(record["examples"])
        loss.backward()
        if gradients is None:
            gradients = {name: one.grad.clone() for name, one in model.model.named_parameters()}
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"] or float("inf"))
        for group in optimizer.param_groups:
            group["lr"] = record["rate"]
        optimizer.step()
        losses.append(loss.item())
        norms.append(norm.item())
    return losses, norms, gradients


@pytest.fixture(scope="module")
def array() -> list[dict]:
    return run([task_of(row) for row in covering_array(CHOICES)], steps=6)


def test_loss_and_every_gradient_for_all_pairs_of_choices(array):
    for found in array:
        losses, norms, gradients = torch_records(found)
        about = str(found["settings"])
        assert [one["loss"] for one in found["records"]] == pytest.approx(losses, abs=1e-4), about
        assert [one["gradientNorm"] for one in found["records"]] == pytest.approx(norms, rel=1e-3), about
        assert set(found["gradients"]) == set(gradients), about
        for name, gradient in gradients.items():
            ours = torch.tensor(found["gradients"][name], dtype=torch.float64).view(gradient.shape)
            torch.testing.assert_close(
                ours, gradient, rtol=1e-4, atol=1e-4, msg=lambda text, n=name: f"{n}: {text} {about}"
            )
