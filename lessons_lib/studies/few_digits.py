"""A ViT, a convolutional network and logistic regression learn digits from few and from many images (lesson 9)."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from lessons_lib.blocks import EncoderLayer
from lessons_lib.config import TransformerConfig
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above, within
from lessons_lib.norms import LayerNorm
from lessons_lib.studies import Study

QUESTION = "Does a ViT read digits as well as a convolutional network, from few images and from many?"
LESSON = 9
BOUND = (
    "from 50 images the ViT is behind by more than 0.05, from 1,000 both are within 0.01; each at the best of three "
    "learning rates by 297 images of validation, 500 of test; 10 seeds, each with its own images"
)
SEEDS = range(10)
SHOWN, RATES, STEPS = (50, 300, 1_000), (2e-3, 4e-3, 8e-3), 200
VALIDATION, TEST = slice(1_000, 1_297), slice(1_297, None)


class ViT(nn.Module):
    """Four squares of 4 × 4 pixels and a class token, two layers of an encoder."""

    def __init__(self, square: int = 4, d_model: int = 32):
        super().__init__()
        shape = {"n_encoder_layers": 2, "n_decoder_layers": 0, "d_ff": 64, "dropout": 0.0}
        config = TransformerConfig(10, d_model, **shape)
        self.square = square
        self.patch = nn.Linear(square * square, d_model)
        self.class_token = nn.Parameter(torch.zeros(d_model))
        self.place = nn.Parameter(0.02 * torch.randn((8 // square) ** 2 + 1, d_model))
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(2))
        self.norm, self.classify = LayerNorm(d_model), nn.Linear(d_model, 10)

    def forward(self, images: Float[Tensor, "B 8 8"]) -> Float[Tensor, "B 10"]:
        squares = F.unfold(images[:, None], self.square, stride=self.square).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(images), 1, -1), self.patch(squares)], dim=1) + self.place
        for layer in self.layers:
            x = layer(x)
        return self.classify(self.norm(x[:, 0]))


def cnn() -> nn.Sequential:
    """Three convolutions of 3 × 3, with a pooling behind the second and the third; about as many parameters."""
    first, second, third = (
        nn.Conv2d(1, 16, 3, padding=1),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.Conv2d(32, 36, 3, padding=1),
    )
    parts = [nn.Unflatten(1, (1, 8)), first, nn.ReLU(), second, nn.ReLU(), nn.MaxPool2d(2), third, nn.ReLU()]
    return nn.Sequential(*parts, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 36, 10))


def train(model: nn.Module, pixels: Tensor, answers: Tensor, rate: float, seed: int) -> nn.Module:
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    dice = torch.Generator().manual_seed(seed)
    for step in range(STEPS):
        rows = torch.randint(len(pixels), (64,), generator=dice)
        optimizer.param_groups[0]["lr"] = rate * min((step + 1) / 30, 1 - step / STEPS)
        loss = F.cross_entropy(model(pixels[rows]), answers[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


@torch.no_grad()
def accuracy(model: nn.Module, pixels: Tensor, answers: Tensor) -> float:
    return (model(pixels).argmax(-1) == answers).float().mean().item()


def run(seed: int) -> dict[str, float]:
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    pixels, answers = torch.tensor(digits.images[order] / 16).float(), torch.tensor(digits.target[order])
    flat, measured = pixels.flatten(1).numpy(), {}
    for n in SHOWN:
        for name, build in (("ViT", ViT), ("CNN", cnn)):
            tried = []
            for rate in RATES:
                seed_everything(seed)
                model = train(build(), pixels[:n], answers[:n], rate, seed)
                tried.append([accuracy(model, pixels[part], answers[part]) for part in (VALIDATION, TEST)])
            measured[f"{n} images: {name}"] = max(tried, key=lambda scores: scores[0])[1]
        regression = LogisticRegression(max_iter=1000).fit(flat[:n], answers[:n].numpy())
        measured[f"{n} images: logistic regression"] = regression.score(flat[TEST], answers[TEST].numpy())
    return measured


def conclude(study: Study) -> dict[str, str]:
    few, some, many = (study.difference(f"{n} images: CNN", f"{n} images: ViT") for n in SHOWN)
    line = study.difference("50 images: logistic regression", "50 images: ViT")
    return {
        "from 50 images the CNN is ahead of the ViT by more than 0.05": above(few, 0.05),
        "from 50 images logistic regression is ahead of the ViT by more than 0.05": above(line, 0.05),
        "from 300 images the CNN is ahead of the ViT": above(some),
        "from 1,000 images the CNN is ahead of the ViT": above(many),
        "from 1,000 images CNN and ViT are within 0.01": within(many, 0.01),
    }
