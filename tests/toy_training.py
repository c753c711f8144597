"""A program that trains on the toy language, to be killed, shared and resumed by test_resume.py."""

import argparse
import os
import signal
from pathlib import Path

from toy import toy_config, toy_corpus

from lessons_lib.translation.training import loop as training
from lessons_lib.translation.training.options import TrainingOptions
from lessons_lib.translation.training.recipe import Recipe
from lessons_lib.translation.training.resumable import train_translator

parser = argparse.ArgumentParser()
parser.add_argument("out", type=Path)
parser.add_argument("--d-ff", type=int, default=64)
parser.add_argument("--patience", type=int)
parser.add_argument("--interrupt-at", type=int)
options = parser.parse_args()

if options.interrupt_at:
    update = training.Trainer._update

    def interrupting(self, batch):
        if self.number == options.interrupt_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return update(self, batch)

    training.Trainer._update = interrupting

recipe = Recipe(
    toy_config(d_ff=options.d_ff),
    TrainingOptions(steps=300, learning_rate=1e-2, warmup_steps=20, average=4),
    batch_tokens=300,
    validations=30 if options.patience else 3,
    patience=options.patience,
    checkpoint_minutes=1e-9,
    device="cpu",
    precision="fp32",  # two processes add up in another order than one; in bf16 that shows
)
train_translator(toy_corpus(), recipe, options.out)
