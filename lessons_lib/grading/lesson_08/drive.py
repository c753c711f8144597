"""Lesson 8: how the learner's masks and their loss of the next token are called."""

import numpy as np
import torch

from lessons_lib.device import pick_device
from lessons_lib.grading.arrays import text_array
from lessons_lib.grading.drive.calls import call, run_case
from lessons_lib.grading.drive.question import Arrays, Question, Trouble

LOSS = ("tgt_in", "tgt_out", "loss")
VOCABULARY = 12


def make_lengths(seed: int) -> Arrays:
    """Lengths of sentences: one to read a mistake from, the shortest, and one that nobody writes down."""
    return {"lengths": np.array([int(np.random.default_rng(seed).integers(5, 9)), 1, 2, 70])}


def drive_causal(causal_mask, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for length in inputs["lengths"].tolist():
        arrays |= run_case(f"length_{length}", causal_mask, {"length": length}, ("mask",))
    return arrays


def make_tokens(seed: int) -> Arrays:
    """tokens (B, S) of which each row ends with padding, but for one; no id is as usual, and B, S differ."""
    draw = np.random.default_rng(seed)
    n_rows, length = 4, int(draw.integers(7, 10))
    pad_id = int(draw.integers(4, 9))
    ids = np.array([token for token in range(VOCABULARY) if token != pad_id])
    tokens = draw.choice(ids, size=(n_rows, length))
    tokens[:, 0], tokens[:, 1], tokens[:, 2] = 0, VOCABULARY - 1, pad_id - 1  # 0 is a word here, as is what lies beside
    lengths = np.array([length, length - 1, length - 2, 4])
    tokens[np.arange(length) >= lengths[:, None]] = pad_id
    return {"tokens": tokens[[1, 0, 3, 2]], "pad_id": np.array(pad_id)}  # neither first nor last tells all others


def padding_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call, by the name of its case."""
    tokens, pad_id = inputs["tokens"], inputs["pad_id"]
    left = np.stack([np.roll(row, (row == pad_id).sum()) for row in tokens])
    cases = {"right": tokens, "left": left, "one": tokens[2:3], "full": tokens[1:2].repeat(2, axis=0)}
    cases |= {"word": tokens[:, -1:]}
    return {name: {"tokens": array, "pad_id": pad_id} for name, array in cases.items()}


def drive_padding(padding_mask, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for name, case in padding_cases(inputs).items():
        arrays |= run_case(name, padding_mask, case | {"pad_id": int(case["pad_id"])}, ("mask",))
    arguments = {"tokens": inputs["tokens"], "pad_id": int(inputs["pad_id"])}
    return arrays | run_case("device", padding_mask, arguments, ("mask",), device=pick_device().type)


def make_targets(seed: int) -> Arrays:
    """tokens as they must be written, and the two tables of which the logits are made."""
    draw = np.random.default_rng(seed)
    made = make_tokens(seed)
    tokens, pad_id = made["tokens"][[1, 0, 3, 2]], int(made["pad_id"])
    end = (pad_id + 2) % VOCABULARY  # </s>, the last of each row
    lengths = (tokens != pad_id).sum(axis=1)
    tokens[np.arange(len(tokens)), lengths - 1] = end
    others = [token for token in range(1, VOCABULARY) if token not in (pad_id, end, VOCABULARY - 1, pad_id - 1)]
    return {
        "tokens": tokens,
        "bos_id": np.array(draw.choice(others)),
        "pad_id": np.array(pad_id),
        "by_place": draw.normal(scale=2.0, size=(tokens.shape[1] + 4, VOCABULARY)).astype(np.float32),
        "by_token": draw.normal(scale=2.0, size=(VOCABULARY, VOCABULARY)).astype(np.float32),
    }


def loss_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call, by the name of its case."""
    return {
        "plain": inputs,
        "other": inputs | {"by_place": inputs["by_place"][::-1], "by_token": inputs["by_token"][:, ::-1]},
        "full": inputs | {"tokens": inputs["tokens"][:1].repeat(2, axis=0)},
        "large": inputs | {"by_place": inputs["by_place"] * 100},
    }


def drive_loss(next_token_loss, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for name, case in loss_cases(inputs).items():
        arrays |= _loss_case(name, next_token_loss, case)
    arrays |= _loss_case("device", next_token_loss, inputs, device=pick_device().type)
    return arrays | _loss_gradient("gradient", next_token_loss, inputs)


class Predict:
    """The decoder of the question: logits that depend on the place and on the token read there, and on nothing else."""

    def __init__(self, case: Arrays, device: str):
        self.by_place = torch.from_numpy(case["by_place"].copy()).to(device)
        self.by_token = torch.from_numpy(case["by_token"].copy()).to(device)
        self.read: torch.Tensor | None = None

    def __call__(self, tgt_in: torch.Tensor) -> torch.Tensor:
        if not isinstance(tgt_in, torch.Tensor) or tgt_in.dim() != 2:
            raise TypeError("predict reads a tensor (B, T) of token ids")
        self.read = tgt_in.detach().clone()
        return self.by_place[: tgt_in.shape[1]] + self.by_token[tgt_in]  # (B, T, V)


def _arguments(case: Arrays, predict: Predict) -> dict:
    return {
        "tokens": case["tokens"],
        "predict": predict,
        "bos_id": int(case["bos_id"]),
        "pad_id": int(case["pad_id"]),
    }


def _loss_case(name: str, next_token_loss, case: Arrays, device: str = "cpu") -> Arrays:
    predict = Predict(case, device)
    arrays = run_case(name, next_token_loss, _arguments(case, predict), LOSS, device)
    if predict.read is not None:
        arrays[f"{name}.read"] = predict.read.cpu().numpy()
    return arrays


def _loss_gradient(name: str, next_token_loss, case: Arrays) -> Arrays:
    """The gradient of the loss by the table of places, or the sentence why there is none."""
    predict = Predict(case, "cpu")
    predict.by_place.requires_grad_()
    arguments = _arguments(case, predict) | {"tokens": torch.from_numpy(case["tokens"].copy())}
    try:
        returned = call(next_token_loss, *arguments.values())
        loss = returned[2] if isinstance(returned, tuple | list) and len(returned) == 3 else None
        if not isinstance(loss, torch.Tensor) or not loss.requires_grad:
            raise Trouble("the loss is cut off from the logits (.item(), .detach(), argmax or no_grad?)")
        (gradient,) = torch.autograd.grad(loss.sum(), predict.by_place, materialize_grads=True)
    except Trouble as trouble:
        return {f"{name}.error": text_array(str(trouble))}
    return {f"{name}.by_place": gradient.numpy()}


QUESTIONS = {
    "q1": Question("the causal mask", "causal_mask(length)", make_lengths, drive_causal, ("lessons_lib.masks",)),
    "q2": Question(
        "the padding mask", "padding_mask(tokens, pad_id)", make_tokens, drive_padding, ("lessons_lib.masks",)
    ),
    "q3": Question(
        title="targets moved by one place",
        signature="next_token_loss(tokens, predict, bos_id, pad_id)",
        make=make_targets,
        drive=drive_loss,
        forbidden=("lessons_lib.translation",),
    ),
}
