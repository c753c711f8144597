"""The benchmarks measure what they say: both ways of generating give the same tokens, and each table has its rows."""

import torch

from benchmarks.__main__ import attention, generate, generation, training
from lessons_lib.transformer import Transformer, TransformerConfig

CONFIG = TransformerConfig(vocab_size=50, d_model=32, n_encoder_layers=1, n_decoder_layers=1, d_ff=64, dropout=0.0)


def small():
    torch.manual_seed(0)
    return Transformer(CONFIG).eval(), torch.randint(3, 50, (3, 7))


def test_the_cache_changes_the_time_and_not_the_tokens():
    model, src = small()
    cached = generate(model, src, 12, cached=True)
    assert cached.shape == (3, 12)
    assert torch.equal(cached, generate(model, src, 12, cached=False))


def test_every_table_has_a_number_in_each_cell():
    model, src = small()
    tables = [attention(torch.device("cpu"), (4, 8)), generation(model, src, (2,)), training(model.train(), src, src)]
    heads, *rows = zip(*(list(table)[:2] for table in tables), strict=True)
    assert [len(head) for head in heads] == [3, 3, 3]
    assert all(float(cell.replace(",", "")) >= 0 for row in rows[0] for cell in row)
