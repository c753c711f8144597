"""Lesson 9: how the learner's encoder, their decoder and their blanks are made and called."""

import numpy as np
import torch

from lessons_lib.grading.arrays import text_array
from lessons_lib.grading.drive.calls import gradient_case, run_case
from lessons_lib.grading.drive.modules import Shapes, by_name, draw_weights, filled, module_case, weight_gradients
from lessons_lib.grading.drive.question import Arrays, Question, Trouble
from lessons_lib.grading.lesson_05.drive import layer_shapes

LIBRARY = ("lessons_lib.families", "lessons_lib.transformer")
VOCABULARY, LAYERS = 13, 3
PAD, BLANK = 0, 3
WRITTEN = 6  # tokens that `generate` is asked for
ALWAYS = (0, 1, 2, 3)  # tokens that end a sentence elsewhere, or mean something: here they are like all others
RETURNS = ("output",)


def model_shapes(d_model: int, d_ff: int, n_layers: int) -> Shapes:
    """The parameters of either model, by the names that the questions fix."""
    shapes: Shapes = {"embedding.weight": (VOCABULARY, d_model)}
    for number in range(n_layers):
        shapes |= {f"layers.{number}.{name}": shape for name, shape in layer_shapes(d_model, d_ff, False).items()}
    return shapes | {"norm.gamma": (d_model,), "norm.beta": (d_model,)}


def sizes_of(inputs: Arrays) -> tuple[int, int, int]:
    """d_model, n_heads, d_ff."""
    return tuple(int(size) for size in inputs["sizes"])


def weights_of(inputs: Arrays, n_layers: int = LAYERS) -> Arrays:
    """Those of the first ``n_layers`` layers, and of what stands around them."""
    d_model, _, d_ff = sizes_of(inputs)
    weights = by_name(inputs["weights"], model_shapes(d_model, d_ff, LAYERS))
    return {name: weights[name] for name in model_shapes(d_model, d_ff, n_layers)}


def make_model(seed: int) -> Arrays:
    """Sizes, weights, sentences with padding (B, S), beginnings without (B, T), and a cotangent of the logits."""
    draw = np.random.default_rng([9, seed])
    n_heads, d_head = int(draw.integers(2, 4)), 2 * int(draw.integers(2, 4))
    d_model, d_ff = n_heads * d_head, 9 + 2 * int(draw.integers(0, 4))  # d_ff is odd, d_model even
    length = int(draw.integers(5, 8))
    sentences = draw.integers(3, VOCABULARY, (3, length))
    sentences[1, -2:] = sentences[2, -1:] = PAD
    shapes = model_shapes(d_model, d_ff, LAYERS)
    weights = draw_weights(draw, shapes)
    for name, part in by_name(weights, shapes).items():  # views into the one array
        if name.endswith(("beta", "bias")):
            part *= 0.2  # what is the same at every place would make one word the answer to everything
        elif name == "norm.gamma":
            part *= draw.choice([-1, 1], part.shape)  # with the same signs everywhere a word would repeat itself
    return {
        "sizes": np.array([d_model, n_heads, d_ff]),
        "weights": weights,
        "sentences": sentences,
        "beginnings": draw.integers(1, VOCABULARY, (9, 3)),
        "cotangent": draw.normal(size=(3, length, VOCABULARY)).astype(np.float32),
    }


def always_weights(inputs: Arrays, token: int) -> Arrays:
    """Weights of a model for which this token is the most probable one, whatever it has read."""
    weights = {name: part.copy() for name, part in weights_of(inputs).items()}
    row = weights["embedding.weight"][token]
    row *= 10
    weights["norm.gamma"][:], weights["norm.beta"][:] = 0, row
    return weights


def unpadded(inputs: Arrays) -> np.ndarray:
    """The sentences with a token wherever they have padding."""
    return np.where(inputs["sentences"] == PAD, BLANK, inputs["sentences"])


def long_text(tokens: np.ndarray) -> np.ndarray:
    """The first sentence, which has no padding, again and again: longer than any size that is written into code."""
    return np.resize(tokens[0], (2, 40))


def drive_encoder(answer, inputs: Arrays) -> Arrays:
    return _drive(answer, inputs, inputs["sentences"])[1]


def drive_decoder(answer, inputs: Arrays) -> Arrays:
    module, arrays = _drive(answer, inputs, unpadded(inputs))
    arguments = {"tokens": inputs["beginnings"], "n_tokens": WRITTEN}
    arrays |= module_case("generate", module, arguments, RETURNS, "generate")
    arrays |= module_case("nothing", module, arguments | {"n_tokens": 0}, RETURNS, "generate")
    for token in ALWAYS:
        always = filled(answer, (VOCABULARY, *sizes_of(inputs), LAYERS), always_weights(inputs, token))
        arrays |= module_case(f"always_{token}", always, arguments, RETURNS, "generate")
    return arrays


def _drive(answer, inputs: Arrays, tokens: np.ndarray) -> tuple[torch.nn.Module, Arrays]:
    sizes = sizes_of(inputs)
    module = filled(answer, (VOCABULARY, *sizes, LAYERS), weights_of(inputs))
    arrays = module_case("forward", module, {"tokens": tokens}, RETURNS)
    arrays |= module_case("again", module, {"tokens": tokens}, RETURNS)
    shapes = model_shapes(sizes[0], sizes[2], LAYERS)
    arrays |= module_case("long", module, {"tokens": long_text(tokens)}, RETURNS)
    arrays |= weight_gradients("gradient", module, {"tokens": tokens}, inputs["cotangent"], shapes)
    try:
        bare = filled(answer, (VOCABULARY, *sizes, 0), weights_of(inputs, 0))
        arrays |= module_case("bare", bare, {"tokens": tokens}, RETURNS)
    except Trouble as trouble:
        arrays["bare.error"] = text_array(str(trouble))
    try:
        smaller = filled(answer, (VOCABULARY, *sizes, LAYERS - 1), weights_of(inputs, LAYERS - 1))
    except Trouble as trouble:
        return module, arrays | {"smaller.error": text_array(str(trouble))}
    return module, arrays | module_case("smaller", smaller, {"tokens": tokens}, RETURNS)


def make_blanks(seed: int) -> Arrays:
    """tokens, asked, draw, random_tokens (B, S), logits (B, S, V); each kind of draw in each row, asked and not."""
    draw = np.random.default_rng([99, seed])
    shape = (4, int(draw.integers(7, 10)))
    # A kind of draw, and whether it is asked: all six in each sentence, and not as many asked in each.
    case = draw.permuted([np.resize(np.roll(np.arange(6), -row), shape[1]) for row in range(4)], axis=1)
    tokens = draw.integers(4, VOCABULARY, shape)
    beyond = draw.uniform(0.01, 0.09, shape)
    for kind in (1, 2):  # once exactly 0.8, and once exactly 0.9
        beyond[2, np.flatnonzero(case[2] == kind)[0]] = 0.0
    low = np.array([0.0, 0.1, 0.3, 0.6])[:, None]  # draws of all sizes below 0.8, a range in each sentence
    beyond[1, case[1] % 3 == 0] /= 2  # between 0.1 and 0.15, which limits of both kinds tell apart
    spread = np.where(case % 3 == 0, low, np.array([0.0, 0.8, 0.9])[case % 3]) + beyond
    return {
        "tokens": tokens,
        "asked": case < 3,
        "draw": spread.astype(np.float32),
        "random_tokens": 4 + (tokens - 4 + draw.integers(1, VOCABULARY - 4, shape)) % (VOCABULARY - 4),
        "logits": draw.normal(scale=2.0, size=(*shape, VOCABULARY)).astype(np.float32),
    }


def blank_arguments(inputs: Arrays) -> Arrays:
    return {name: inputs[name] for name in ("tokens", "asked", "draw", "random_tokens")}


def double_draws(inputs: Arrays) -> Arrays:
    """The same draws in float64: in float32, 0.9 is a little less; Python's comparison sees it, PyTorch's does not."""
    return blank_arguments(inputs) | {"draw": np.round(inputs["draw"].astype(np.float64), 6)}


def loss_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of five calls: one number alone might be right by chance, and one place may be the only one."""
    arguments = {name: inputs[name] for name in ("logits", "tokens", "asked")}
    single = np.zeros_like(inputs["asked"])
    single[2, 4] = True
    return {
        "loss": arguments,
        "backwards": {name: array[:, ::-1] for name, array in arguments.items()} | {"logits": inputs["logits"]},
        "some": {name: array[1:, :-1] for name, array in arguments.items()},
        "single": arguments | {"asked": single},
        "zero": arguments | {"asked": inputs["asked"] | single, "tokens": np.where(single, 0, inputs["tokens"])},
    }


def drive_blanks(answers, inputs: Arrays) -> Arrays:
    mask_tokens, masked_loss = answers
    arrays = run_case("masked", mask_tokens, blank_arguments(inputs), RETURNS)
    arrays |= run_case("again", mask_tokens, blank_arguments(inputs), RETURNS)
    arrays |= run_case("double", mask_tokens, double_draws(inputs), RETURNS)
    for name, arguments in loss_cases(inputs).items():
        arrays |= run_case(name, masked_loss, arguments, RETURNS)
    loss = loss_cases(inputs)["loss"]
    arrays |= run_case("none", _as_tensor(masked_loss), loss | {"asked": np.zeros_like(loss["asked"])}, RETURNS)
    return arrays | gradient_case("gradient", masked_loss, loss, np.ones((), np.float32))


def _as_tensor(loss):
    """Where nothing is to be learned, a plain number is as good a loss."""

    def answer(*given):
        found = loss(*given)
        return torch.tensor(float(found)) if type(found) in (int, float) else found

    return answer


QUESTIONS = {
    "q1": Question(
        title="an encoder that fills in blanks",
        signature="EncoderOnly(vocab_size, d_model, n_heads, d_ff, n_layers)",
        make=make_model,
        drive=drive_encoder,
        forbidden=LIBRARY,
    ),
    "q2": Question(
        title="a decoder that goes on writing",
        signature="DecoderOnly(vocab_size, d_model, n_heads, d_ff, n_layers)",
        make=make_model,
        drive=drive_decoder,
        forbidden=LIBRARY,
    ),
    "q3": Question(
        title="blanks to learn from",
        signature="mask_tokens(tokens, asked, draw, random_tokens)",
        also=("masked_loss(logits, tokens, asked)",),
        make=make_blanks,
        drive=drive_blanks,
        forbidden=LIBRARY,
    ),
}
