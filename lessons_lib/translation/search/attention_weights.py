"""Cross-attention of given translations: between pieces, and between words."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.batching import pad


@torch.inference_mode()
def cross_attention(
    model: Transformer, sources: Sequence[list[int]], targets: Sequence[list[int]]
) -> list[Float[Tensor, "L H _ _"]]:
    """The cross-attention of every layer and head, for given translations.

    Row t belongs to the step that *emits* target token t: its input is token t − 1. Read at the step whose input is
    token t, one later, the weights already look for the next word.

    Args:
        sources: token ids, ``</s>`` at the end.
        targets: token ids, ``</s>`` at the end unless the translation was cut off.
    """
    config = model.config
    device = model.embedding.weight.device
    found = []
    for start in range(0, len(sources), 64):
        src, tgt = sources[start : start + 64], targets[start : start + 64]
        tgt_in = [[config.bos_id, *ids[:-1]] for ids in tgt]
        _, attention = model(
            pad(src, config.pad_id).to(device), pad(tgt_in, config.pad_id).to(device), return_attention=True
        )
        stacked = torch.stack(attention.cross, dim=1).float().cpu()  # (B, L, H, T, S)
        found += [stacked[i, :, :, : len(tgt[i]), : len(src[i])] for i in range(len(src))]
    return found


def word_weights(
    weights: Float[np.ndarray, "T S"],
    source_words: Sequence[int | None],
    target_words: Sequence[int | None],
) -> Float[np.ndarray, "T2 S2"]:
    """Attention between words from attention between subwords.

    A source word gets the sum over its pieces (all of them were looked at), a target word the mean over its pieces
    (each of them looked). ``</s>``, whose word is None, is left out; so a row may sum to less than 1.

    Args:
        source_words, target_words: the word of each piece, from `Tokenizer.word_ids`, one for each column and row.
    """
    to_source = _membership(source_words)  # (S, S2)
    to_target = _membership(target_words)  # (T, T2)
    return (to_target / to_target.sum(axis=0)).T @ weights @ to_source


def _membership(words: Sequence[int | None]) -> Float[np.ndarray, "pieces words"]:
    """1 where a piece (row) belongs to a word (column)."""
    count = max((word for word in words if word is not None), default=-1) + 1
    table = np.zeros((len(words), count))
    for piece, word in enumerate(words):
        if word is not None:
            table[piece, word] = 1.0
    return table
