"""Tokens a second in decoding: ours with and without its cache, `transformers`, and CTranslate2, on one thread."""

import copy
import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import ctranslate2
import torch
from torch import Tensor

from benchmarks.rivals import HuggingFaceMarian
from lessons_lib.timing import ratio, take_turns
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.data.batching import pad
from lessons_lib.translation.data.tokenizer import BOS, EOS, PAD, Tokenizer
from lessons_lib.translation.deployment.ctranslate2 import write_ctranslate2
from lessons_lib.translation.search.decoding import greedy, n_best
from lessons_lib.translation.search.uncached import Uncached

# No translation ends before the model's last position, so that all systems write as many tokens.
SIZE = TransformerConfig(vocab_size=8_000, max_length=20)
OURS, UNCACHED, MARIAN, CTRANSLATE2 = "ours", "ours, no cache", "transformers generate", "CTranslate2"
OURS_BF16, MARIAN_BF16 = f"{OURS}, bf16", f"{MARIAN}, bf16"
RIVALS = {OURS: (UNCACHED, MARIAN, CTRANSLATE2), OURS_BF16: (MARIAN_BF16, CTRANSLATE2)}  # with whom each is compared
Search = Callable[[], list[list[int]]]  # the best translation of each sentence


def random_sources(config: TransformerConfig, sentences: int) -> Tensor:
    """(B, S) random sentences of three quarters of the greatest length to all of it, their ``</s>`` counted."""
    lengths = torch.randint(3 * config.max_length // 4, config.max_length + 1, (sentences,)).tolist()
    rows = [torch.randint(3, config.vocab_size, (length - 1,)).tolist() for length in lengths]
    return pad([[*row, config.eos_id] for row in rows], config.pad_id)


def of_ours(model: Transformer, src: Tensor, beam: int) -> list[list[int]]:
    if beam == 1:
        return [found.tokens for found in greedy(model, src)]
    return [found[0].tokens for found in n_best(model, src, beam)]


def of_marian(rival: HuggingFaceMarian, src: Tensor, beam: int) -> list[list[int]]:
    config = rival.config
    seen = src != config.pad_id
    settings = {"num_beams": beam, "max_new_tokens": config.max_length, "do_sample": False, "use_cache": True}
    return rival.model.generate(src, attention_mask=seen, **settings)[:, 1:].tolist()


def of_ctranslate2(engine: ctranslate2.Translator, sources: list[list[str]], length: int, beam: int) -> list[list[str]]:
    never = [["<pad>"], ["<s>"]]  # as in our own search
    found = engine.translate_batch(sources, beam_size=beam, max_decoding_length=length, suppress_sequences=never)
    return [one.hypotheses[0] for one in found]


def ctranslate2_engine(model: Transformer, device: torch.device) -> ctranslate2.Translator:
    """CTranslate2 with the same weights, in fp32, on as many threads as PyTorch."""
    pieces = [PAD, BOS, EOS, *(f"piece{number}" for number in range(3, model.config.vocab_size))]
    with tempfile.TemporaryDirectory() as folder:
        write_ctranslate2(model, Tokenizer({piece: number for number, piece in enumerate(pieces)}, []), Path(folder))
        place = {"device": device.type, "inter_threads": 1, "intra_threads": torch.get_num_threads()}
        return ctranslate2.Translator(folder, compute_type="float32", **place)


def searches(
    device: torch.device, config: TransformerConfig, sentences: int, beam: int, engine: bool = True
) -> dict[str, Search]:
    """Each system, a function that translates the same sentences; ``engine``: CTranslate2 among them."""
    torch.manual_seed(0)
    src = random_sources(config, sentences)
    model, rival = Transformer(config).eval(), HuggingFaceMarian(config, "sdpa").eval()
    for embedding in (model.embedding, rival.model.get_input_embeddings()):
        embedding.weight.data[config.eos_id] = 0.0  # its logit is 0: never among the likeliest of so many
    rival.model.generation_config.forced_eos_token_id = None
    pieces = [[f"piece{token}" for token in row if token > config.eos_id] for row in src.tolist()]
    src, model, rival = src.to(device), model.to(device), rival.to(device)
    halved, halved_rival = (copy.deepcopy(one).to(torch.bfloat16) for one in (model, rival))
    found = {
        OURS: partial(of_ours, model, src, beam),
        OURS_BF16: partial(of_ours, halved, src, beam),
        UNCACHED: partial(of_ours, Uncached(model), src, beam),
        MARIAN: partial(of_marian, rival, src, beam),
        MARIAN_BF16: partial(of_marian, halved_rival, src, beam),
    }
    if engine:
        translator = ctranslate2_engine(model, device)
        found[CTRANSLATE2] = partial(of_ctranslate2, translator, pieces, config.max_length, beam)
    return found


def decoding(
    device: torch.device,
    config: TransformerConfig = SIZE,
    sentences: int = 64,
    rounds: int = 5,
    engine: bool = True,
) -> Iterator[tuple[str, ...]]:
    """A row a search and system; ratios are medians over the rounds, with their range."""
    threads = torch.get_num_threads()
    yield "search", "system", "target tokens/s", "ours is faster by", "ours in bf16 is faster by"
    torch.set_num_threads(1)
    try:
        for beam in (1, 4):
            seconds = take_turns(searches(device, config, sentences, beam, engine), rounds)
            for system, spent in seconds.items():
                speed = f"{sentences * config.max_length / statistics.median(spent):,.0f}"
                faster = [ratio(spent, seconds[ours]) if system in RIVALS[ours] else "" for ours in RIVALS]
                yield "greedy" if beam == 1 else f"{beam} beams", system, speed, *faster
    finally:
        torch.set_num_threads(threads)
