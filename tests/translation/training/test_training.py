"""Training: the loss is the textbook's, the schedule is a triangle, a seed gives the same losses, the model learns."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from toy import toy_config, toy_corpus, toy_model, toy_tokenizer, toy_translator

from lessons_lib.device import seed_everything
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.batching import Batches, collate, encode_pairs
from lessons_lib.translation.training import loop as training
from lessons_lib.translation.training import losses
from lessons_lib.translation.training.loop import TrainingOptions, batch_loss, fit, schedule, validation_loss
from lessons_lib.translation.training.losses import fused_cross_entropy, smoothed_cross_entropy
from lessons_lib.translation.training.plain import train_plainly


def toy_batches(seed=0) -> Batches:
    return Batches(encode_pairs(toy_tokenizer(), toy_corpus().train, 24), toy_tokenizer(), 400, seed)


def loss_inputs(n=23, vocabulary=17, d_model=5):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(n, d_model, generator=generator, dtype=torch.float64).requires_grad_()
    embedding = (3 * torch.randn(vocabulary, d_model, generator=generator, dtype=torch.float64)).requires_grad_()
    return hidden, embedding, torch.randint(vocabulary, (n,), generator=generator)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_smoothed_cross_entropy_equals_pytorch(smoothing):
    hidden, embedding, targets = loss_inputs()
    logits = hidden @ embedding.T
    expected = F.cross_entropy(logits, targets, label_smoothing=smoothing)
    torch.testing.assert_close(smoothed_cross_entropy(logits, targets, smoothing), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(("chunk", "tile"), [(7, 1), (8, 4), (16, 8), (512, 64)])  # the last one shorter, or one alone
def test_fused_loss_has_the_same_value_and_gradients(smoothing, chunk, tile, monkeypatch):
    monkeypatch.setattr(losses, "CHUNK", chunk)
    monkeypatch.setattr(losses, "TILE", tile)
    hidden, embedding, targets = loss_inputs()
    expected = smoothed_cross_entropy(hidden @ embedding.T, targets, smoothing)
    wanted = torch.autograd.grad(2 * expected, [hidden, embedding])
    loss = fused_cross_entropy(hidden, embedding, targets, smoothing)
    torch.testing.assert_close(loss, expected)
    for ours, theirs in zip(torch.autograd.grad(2 * loss, [hidden, embedding]), wanted, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_fused_loss_under_bf16_autocast_stays_close():
    hidden, embedding, targets = (x.detach().float() if x.is_floating_point() else x for x in loss_inputs())
    hidden, embedding = hidden.requires_grad_(), embedding.requires_grad_()
    expected = smoothed_cross_entropy(hidden @ embedding.T, targets, 0.1)
    with torch.autocast("cpu", torch.bfloat16):
        loss = fused_cross_entropy(hidden, embedding, targets, 0.1)
    loss.backward()
    assert loss.dtype == hidden.grad.dtype == embedding.grad.dtype == torch.float32
    assert 0 < abs(loss.item() - expected.item()) < 0.05


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_fused_loss_of_logits_far_apart_is_finite(dtype):
    hidden = torch.tensor([[300.0], [-300.0]], requires_grad=True)
    embedding = torch.tensor([[1.0], [0.0], [-1.0]], requires_grad=True)
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        loss = fused_cross_entropy(hidden, embedding, torch.tensor([2, 2]), 0.0)  # as wrong as can be, and right
    assert loss.item() == pytest.approx(300, rel=0.01)
    assert torch.isfinite(torch.cat(torch.autograd.grad(loss, [hidden, embedding]))).all()


def test_padding_is_not_in_the_loss():
    model, tokenizer = toy_model()
    short, long = encode_pairs(tokenizer, toy_corpus().train, 24)[:2]
    alone = [batch_loss(model, collate([example], tokenizer), 0.1) for example in (short, long)]
    tokens = [len(example.tgt) + 1 for example in (short, long)]
    together = batch_loss(model, collate([short, long], tokenizer), 0.1)
    expected = (alone[0] * tokens[0] + alone[1] * tokens[1]) / sum(tokens)
    torch.testing.assert_close(together, expected, rtol=1e-5, atol=1e-6)


def test_validation_loss_is_the_mean_over_tokens_and_ignores_dropout():
    model, tokenizer = toy_model(dropout=0.5)
    examples = encode_pairs(tokenizer, toy_corpus().valid, 24)
    parts = [validation_loss(model, Batches(examples, tokenizer, budget).epoch(0)) for budget in (60, 10_000)]
    assert parts[0] == pytest.approx(parts[1], rel=1e-5)


def test_the_schedule_rises_by_steps_and_falls_by_progress():
    assert [schedule(step, 0.0, 4) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert schedule(100, 0.75, 4) == 0.25
    assert schedule(0, 0.999, 10_000) == 1 / 10_000


def test_the_learning_rate_of_each_step_is_the_schedule():
    model, _ = toy_model()
    options = TrainingOptions(steps=5, learning_rate=0.1, warmup_steps=2)
    rates = [step.learning_rate for step in fit(model, toy_batches().forever(), options)]
    assert rates == pytest.approx([0.05, 0.08, 0.06, 0.04, 0.02])


def test_minutes_end_the_training(monkeypatch):
    clock = itertools.count(start=100.0, step=0.5)  # a step looks at the clock three times: 1.5 seconds
    monkeypatch.setattr(training.time, "monotonic", lambda: next(clock))
    model, _ = toy_model()
    steps = list(fit(model, toy_batches().forever(), TrainingOptions(minutes=10 / 60)))
    assert 10 <= steps[-1].seconds < 12
    assert [step.progress for step in steps] == sorted(step.progress for step in steps)
    assert steps[-1].progress >= 1 > steps[-2].progress


def test_a_seed_gives_the_same_first_losses_however_long_the_training_is_to_be():
    def first_losses(seed, **budget):
        seed_everything(seed)
        model = Transformer(toy_config(vocab_size=len(toy_tokenizer()), dropout=0.3))
        steps = fit(model, toy_batches(seed).forever(), TrainingOptions(**budget))
        return [step.loss.item() for step in itertools.islice(steps, 4)]

    assert first_losses(0, minutes=10) == first_losses(0, minutes=20) == first_losses(0, steps=500)
    assert first_losses(0, minutes=10) != first_losses(1, minutes=10)


def test_gradients_are_clipped():
    model, _ = toy_model()
    before = [p.detach().clone() for p in model.parameters()]
    options = TrainingOptions(steps=1, learning_rate=1e-3, warmup_steps=1, clip_norm=1e-12, weight_decay=0.0)
    (step,) = fit(model, toy_batches().forever(), options)
    assert step.gradient_norm > 0.1
    moved = max((p - q).abs().max().item() for p, q in zip(model.parameters(), before, strict=True))
    assert moved < 1e-5 < options.learning_rate  # Adam divides by the gradient's size, all but its ε


def test_it_learns():
    translator, corpus = toy_translator(), toy_corpus()
    translations = translator.translate([pair.source for pair in corpus.test])
    right = sum(ours.text == pair.target for ours, pair in zip(translations, corpus.test, strict=True))
    assert right >= 18  # of 20 sentences that it never saw


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "either minutes or steps"),
        ({"minutes": 1, "steps": 1}, "either minutes or steps"),
        ({"minutes": 0}, "minutes=0 is not positive"),
        ({"minutes": math.inf}, "minutes=inf is not positive"),
        ({"minutes": math.nan}, "minutes=nan is not positive"),
        ({"steps": -3}, "steps=-3 is not positive"),
        ({"steps": 1, "learning_rate": -1.0}, "learning_rate=-1.0 is not positive"),
        ({"steps": 1, "label_smoothing": 1.0}, r"label_smoothing=1.0 is not in \[0, 1\)"),
        ({"steps": 1, "weight_decay": -0.1}, "weight_decay=-0.1 is negative"),
    ],
)
def test_options_out_of_range(values, message):
    with pytest.raises(ValueError, match=message):
        TrainingOptions(**values)


def test_the_plain_loop_gives_the_losses_of_fit():
    """So that the loop to read and the loop to use are one algorithm."""
    options = TrainingOptions(steps=40, learning_rate=1e-2, warmup_steps=10)
    (plain, tokenizer), (usual, _) = toy_model(), toy_model()
    pairs = Batches(encode_pairs(tokenizer, toy_corpus().train, 24), tokenizer, token_budget=300)
    losses = train_plainly(plain, pairs.forever(), options)
    expected = [step.loss.item() for step in fit(usual, pairs.forever(), options)]
    assert len(losses) == 40
    assert losses == pytest.approx(expected, abs=2e-3)
    assert losses[-1] < 0.6 * losses[0]
    assert losses[:5] == pytest.approx(expected[:5], abs=1e-5)
