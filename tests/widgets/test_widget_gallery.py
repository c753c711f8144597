"""The gallery says of each model what its sources say, its counts are the library's, and every reader can use it."""

import random
import re

import pytest
import torch
import transformers
from random_configs import FAMILIES, random_config

from lessons_lib.config import CHOICES
from lessons_lib.families.encoder_only import EncoderOnlyConfig
from lessons_lib.norms import NORMS
from lessons_lib.sizes import cache_memory, count_parameters
from lessons_lib.sizes.gallery import active_parameters, cache_numbers, gallery, total_parameters
from lessons_lib.widgets import GalleryWidget
from lessons_lib.widgets.sizes import checked_config
from tools.lesson_files import ROOT

MODELS = gallery()
NAMES = [model["name"] for model in MODELS]
KNOWN = [model for model in MODELS if model["config"]]


def widget(first="BERT base", second="GPT-2 small", **traits) -> GalleryWidget:
    return GalleryWidget(MODELS, chosen=[NAMES.index(first), NAMES.index(second)], **traits)


def listed(page) -> list[str]:
    return page.locator(".gw-list tbody span").all_text_contents()


def summary(page) -> str:
    return page.locator("[aria-live=polite]").text_content()


def pair(page) -> dict[str, list[str]]:
    """The rows of the comparison: label, and what it says of both; a row that differs begins with ≠."""
    rows = page.locator(".gw-pair tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    return {label: cells for label, *cells in rows}


# --- facts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", KNOWN, ids=lambda model: model["name"])
def test_the_shape_gives_the_size_that_is_printed(model):
    total = total_parameters(model["config"], model["extras"])
    assert total == pytest.approx(model["published"], rel=model["tolerance"] or 1e-12)


def meta(build, config):
    """How many parameters the model of `transformers` has, built without memory."""
    with torch.device("meta"):
        return sum(p.numel() for p in build(config).parameters())


# What our own modules can't build, counted in the modules of those who publish these models.
THEIRS = {
    "GPT": lambda: meta(transformers.OpenAIGPTModel, transformers.OpenAIGPTConfig()),
    "ALBERT base": lambda: meta(
        transformers.AlbertModel,
        transformers.AlbertConfig(hidden_size=768, num_attention_heads=12, intermediate_size=3072),
    ),
    "DistilBERT": lambda: meta(transformers.DistilBertModel, transformers.DistilBertConfig()),
    "RoBERTa base": lambda: meta(
        transformers.RobertaModel,
        transformers.RobertaConfig(vocab_size=50_265, max_position_embeddings=514, type_vocab_size=1),
    ),
    "ViT-B/16": lambda: meta(
        lambda config: transformers.ViTModel(config, add_pooling_layer=False), transformers.ViTConfig()
    ),
    "Mixtral 8x7B": lambda: meta(
        transformers.MixtralForCausalLM, transformers.MixtralConfig(vocab_size=32_000, num_hidden_layers=32)
    ),
    "BART large": lambda: meta(transformers.BartModel, transformers.BartConfig()),
    "CLIP B/32, its reader of texts": lambda: meta(transformers.CLIPTextModel, transformers.CLIPTextConfig()),
    "ModernBERT base": lambda: meta(transformers.ModernBertModel, transformers.ModernBertConfig()),
    "DeepSeek-V3": lambda: meta(transformers.DeepseekV3ForCausalLM, transformers.DeepseekV3Config()),
    "Qwen3 8B": lambda: meta(
        transformers.Qwen3ForCausalLM,
        transformers.Qwen3Config(
            hidden_size=4096,
            num_hidden_layers=36,
            num_attention_heads=32,
            num_key_value_heads=8,
            intermediate_size=12_288,
            tie_word_embeddings=False,
        ),
    ),
    "Gemma 3 1B": lambda: meta(
        transformers.Gemma3ForCausalLM,
        transformers.Gemma3TextConfig(
            vocab_size=262_144,
            hidden_size=1152,
            num_attention_heads=4,
            num_key_value_heads=1,
            intermediate_size=6912,
        ),
    ),
    # the sinusoids of the sound's 1,500 positions are stored there as an embedding
    "Whisper large": lambda: (
        meta(
            transformers.WhisperModel,
            transformers.WhisperConfig(
                d_model=1280,
                encoder_layers=32,
                decoder_layers=32,
                encoder_attention_heads=20,
                decoder_attention_heads=20,
                encoder_ffn_dim=5120,
                decoder_ffn_dim=5120,
            ),
        )
        - 1500 * 1280
    ),
}


@pytest.mark.parametrize("name", THEIRS)
def test_the_size_is_that_of_the_modules_of_transformers(name):
    model = MODELS[NAMES.index(name)]
    assert total_parameters(model["config"], model["extras"]) == THEIRS[name]()


def test_a_token_passes_by_some_of_the_experts():
    printed = {"Mixtral 8x7B": 12.9e9, "DeepSeek-V3": 37e9}  # Mistral's announcement; section 1 of the report
    for model in KNOWN:
        active, total = (count(model["config"], model["extras"]) for count in (active_parameters, total_parameters))
        assert active == (pytest.approx(printed[model["name"]], rel=0.02) if model["name"] in printed else total)


def test_latent_attention_keeps_one_narrow_vector_and_a_small_key():
    deepseek = MODELS[NAMES.index("DeepSeek-V3")]
    assert cache_numbers(deepseek["config"], deepseek["extras"]) == 61 * (512 + 64)
    assert cache_numbers(deepseek["config"], {}) == 61 * 2 * 128 * 128


def test_each_model_has_its_source_among_the_references_and_a_year_in_order():
    references = (ROOT / "book" / "references.bib").read_text("utf8")
    assert len(NAMES) == len(set(NAMES)) >= 15
    for model in MODELS:
        assert f"{{{model['citation']}," in references, model["name"]
        assert model["source"]
        assert model["news"].endswith(".")
    assert [m["year"] for m in MODELS] == sorted(m["year"] for m in MODELS)


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_counts_are_the_librarys_on_120_random_shapes(show):
    draw, cases, expected = random.Random(0), [], []
    for number in range(120):
        config = random_config(list(FAMILIES)[number % 3], number)
        extras = {}
        if not config.n_decoder_layers and number % 2:
            assert isinstance(config, EncoderOnlyConfig)
            extras = {"shared_layers": True, "d_embedding": draw.randint(1, config.d_model)}
        elif number % 5 == 0:
            extras = {"experts": 4, "experts_used": draw.randint(1, 4)}
        elif number % 7 == 0:
            extras = {"patch": draw.randint(1, 9), "other": draw.randint(-99, 99)}
        elif number % 4 == 0:
            extras = {"kv_latent": draw.randint(1, 9), "q_latent": draw.randint(1, 9), "d_rope": draw.randint(1, 9)}
            extras |= {"experts": 5, "experts_used": 2, "shared_experts": 2, "d_expert": draw.randint(1, 9)}
            extras |= {"dense_layers": 1}
        elif number % 11 == 0:
            extras = {"qk_norm": 1, "norms_behind": 1}
        cases.append([config.to_dict(), extras])
        cache = (
            cache_memory(config, 1, min(config.n_encoder_layers, 1), 1, "bfloat16")["cache of the target"]
            if config.n_decoder_layers
            else 0
        )
        assert cache == 2 * cache_numbers(config, {})
        cache = 2 * cache_numbers(config, extras)
        total, active = (count(config, extras) for count in (total_parameters, active_parameters))
        assert extras or total == active == count_parameters(config)
        expected.append([total, active, cache])
    ours = show(widget()).evaluate(
        """(cases) => cases.map(([c, extras]) =>
          [module.totalParameters(c, extras), module.activeParameters(c, extras), module.cacheBytes(c, extras)])""",
        cases,
    )
    for case, mine, theirs in zip(cases, ours, expected, strict=True):
        assert mine == theirs, case


def test_a_norm_more_has_the_numbers_of_its_kind(show):
    """LayerNorm has γ and β also behind a part, on queries and on the narrow vectors of latent attention."""
    extras = {"norms_behind": 1, "qk_norm": 1, "kv_latent": 12, "q_latent": 20, "d_rope": 4}
    for kind, norm in NORMS.items():
        config = random_config("decoder-only", 3, norm_type=kind)
        more = 2 * sum(p.numel() for w in (config.d_model, config.head_width) for p in norm(w).parameters())
        without = {**extras, "norms_behind": 0, "qk_norm": 0}
        behind = total_parameters(config, extras) - total_parameters(config, without)
        assert behind == config.n_decoder_layers * more
        shape = checked_config(config.to_dict(), "config")
        found = show(widget()).evaluate("(all) => module.totalParameters(...all)", [shape, extras])
        assert found == total_parameters(config, extras)


def test_an_unknown_choice_is_refused_by_its_name(show):
    page = show(widget())
    shape = checked_config(random_config("encoder-decoder", 0).to_dict(), "config")
    for name in CHOICES:
        refusal = "(c) => { try { return module.totalParameters(c); } catch (error) { return error.message; } }"
        assert page.evaluate(refusal, shape | {name: "newer"}).startswith(f"{name} = newer is not known; use one of")


def test_the_pictures_are_the_masks_of_the_library(show):
    from lessons_lib.masks import causal_mask, sliding_window_mask

    page = show(widget())
    for family, window, expected in (
        ("encoder", None, [torch.ones(6, 6, dtype=torch.bool)]),
        ("decoder", None, [causal_mask(6)]),
        ("decoder", 3, [sliding_window_mask(6, 3)]),
        ("both", None, [torch.ones(6, 6, dtype=torch.bool), causal_mask(6), torch.ones(6, 6, dtype=torch.bool)]),
    ):
        drawn = page.evaluate("([family, window]) => module.masks(family, 6, window)", [family, window])
        assert [rows for _, rows in drawn] == [mask.tolist() for mask in expected]
    assert page.locator(".gw-masks svg").count() == 2
    assert page.locator(".gw-masks svg").nth(1).locator(".gw-may").count() == 21


# --- what one sees and does ------------------------------------------------------------------------------------------


def test_it_shows_the_counts_and_says_what_differs(show):
    page = show(widget())
    rows = pair(page)
    assert rows["≠Parameters"] == ["109,482,240", "124,439,808"]
    assert rows["Parameters, published"] == ["110,000,000", "124,000,000"]
    assert rows["Layers"] == ["12", "12"]
    assert rows["≠Who sees whom"] == ["everything", "itself and what came before"]
    assert rows["≠KV cache a token"] == ["none", "36,864 bytes"]
    assert rows["Source"][0].startswith("section 3; vocabulary, positions and token types")
    differing = [label[1:] for label in rows if label.startswith("≠")]
    assert summary(page) == (
        f"BERT base (2019) and GPT-2 small (2019) differ in {len(differing)} of 19 points: {', '.join(differing)}."
    )


def test_what_experts_sharing_windows_and_patches_do_is_said(show):
    page = show(widget("Mistral 7B", "Mixtral 8x7B"))
    rows = pair(page)
    assert rows["≠Parameters a token uses"] == ["7,241,732,096", "12,879,925,248"]
    assert rows["≠Window"] == ["4,096 tokens", "none"]
    assert rows["≠Width d_ff"] == ["14,336", "14,336; 8 experts, 2 used"]
    assert rows["Attention"] == ["grouped-query", "grouped-query"]
    page.evaluate(f"models[0].set('chosen', [{NAMES.index('ALBERT base')}, {NAMES.index('ViT-B/16')}])")
    rows = pair(page)
    assert rows["≠Layers"] == ["1, used 12 times", "12"]
    assert rows["≠Vocabulary"] == ["30,000", "squares of 16 × 16 pixels"]
    page.evaluate(f"models[0].set('chosen', [{NAMES.index('Transformer base')}, {NAMES.index('Gemma 2B')}])")
    assert pair(page)["≠Attention"] == ["multi-head", "multi-query"]
    assert page.locator(".gw-masks svg").count() == 4
    page.evaluate(f"models[0].set('chosen', [{NAMES.index('DeepSeek-V3')}, {NAMES.index('Gemma 3 1B')}])")
    rows = pair(page)
    assert rows["≠Attention"] == ["multi-head latent", "multi-query"]
    assert rows["≠KV cache a token"] == ["70,272 bytes", "26,624 bytes"]
    assert rows["≠Width d_ff"] == ["18,432 in 3 layers; 256 experts 2,048 wide, 8 used, and 1 for all", "6,912"]
    assert rows["≠Norm"] == [
        "RMSNorm, before each part",
        "RMSNorm, before and behind each part; on queries and keys",
    ]


def test_a_model_that_was_not_disclosed_gets_no_numbers(show):
    page = show(widget("GPT-4", "Llama 7B", sort="parameters", descending=True))
    rows = pair(page)
    said = {cells[0] for label, cells in rows.items() if label.startswith("≠")}
    assert said == {"not disclosed", "the next token; then human feedback"}  # the report says so much, in section 2
    assert listed(page)[-1] == "GPT-4"
    page.get_by_role("button", name="Parameters", exact=True).click()
    assert listed(page)[-1] == "GPT-4"


def test_a_click_compares_and_the_last_two_stay(show):
    page = show(widget())
    page.locator(".gw-list").get_by_text("T5 base").click()
    assert summary(page).startswith("GPT-2 small (2019) and T5 base (2020) differ in")
    page.locator(".gw-list").get_by_text("T5 base").click()
    assert page.evaluate("models[0].get('chosen')") == [NAMES.index("GPT-2 small"), NAMES.index("T5 base")]
    page.locator(".gw-list").get_by_text("BERT base", exact=True).click()
    assert summary(page).startswith("T5 base (2020) and BERT base (2019) differ in")
    marked = page.locator(".gw-list [aria-pressed=true]").all_text_contents()
    assert sorted(marked) == ["AT5 base", "BBERT base"]


def test_filter_and_sorting(show):
    page = show(widget())
    assert listed(page) == NAMES
    page.get_by_text("encoder–decoder", exact=True).first.click()
    assert listed(page) == [
        "Transformer base",
        "T5 base",
        "OPUS-MT English–French",
        "BART large",
        "Whisper large",
    ]
    page.get_by_text("encoder-only", exact=True).first.click()
    page.get_by_role("button", name="Parameters", exact=True).click()
    sizes = {m["name"]: total_parameters(m["config"], m["extras"]) for m in KNOWN if not m["config"].n_decoder_layers}
    assert listed(page) == sorted(sizes, key=sizes.get)
    page.get_by_role("button", name="Parameters", exact=True).click()
    assert listed(page) == sorted(sizes, key=sizes.get, reverse=True)
    assert page.locator("[aria-sort]").get_attribute("aria-sort") == "descending"
    assert page.locator("[aria-sort]").text_content() == "Parameters"


def test_keyboard_alone_is_enough(show):
    page = show(widget())
    page.keyboard.press("Tab")  # the families
    page.keyboard.press("ArrowRight")
    assert listed(page)[0] == "BERT base"
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('tbody') !== null"):
            break
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert summary(page).startswith("GPT-2 small (2019) and RoBERTa base (2019)")
    assert page.evaluate("document.activeElement.textContent") == "BRoBERTa base"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("End")
    page.keyboard.press("Space")
    assert summary(page).startswith("RoBERTa base (2019) and ModernBERT base (2024)")


@pytest.mark.parametrize(
    ("first", "second"), [("Transformer base", "GPT-3 175B"), ("Mixtral 8x7B", "OPUS-MT English–French")]
)
def test_a_360_px_screen_shows_everything_without_scrolling_sideways(show, first, second):
    page = show(widget(first, second), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    right = page.locator("td:visible, th:visible, .cw-choice span").evaluate_all(
        "all => Math.max(...all.map((node) => node.getBoundingClientRect().right))"
    )
    assert right <= 360
    assert page.locator(".gw-list").evaluate("node => node.scrollWidth <= node.clientWidth")


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    assert repr(widget()) == "GalleryWidget: 'BERT base and GPT-2 small' (run this cell to compare others)"


GOOD = MODELS[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": " "}, "models[0] has the name ' '; give a text that is not blank"),
        ({"source": None}, "models[0] has the source None; give a text that is not blank"),
        ({"url": "javascript:alert(1)"}, "models[0] has the url 'javascript:alert(1)'; it must begin with https://"),
        ({"year": 1917}, "models[0] has the year 1917; give one from 2017"),
        ({"published": "65M"}, "models[0] has published='65M'; give a whole number of parameters, or None"),
        ({"extras": {"magic": 1}}, "models[0] has extras['magic'], which is not known; use experts"),
        ({"extras": {"experts": 0}}, "models[0] has extras['experts']=0; give a whole number from 1"),
        ({"config": {"d_model": 4}}, "models[0].config has no 'vocab_size'"),
    ],
)
def test_a_model_that_is_not_described_is_refused(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        GalleryWidget([GOOD | change, MODELS[1]])


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"chosen": [0, 99]}, f"chosen=99 but there are {len(NAMES)} models; use 0 to {len(NAMES) - 1}"),
        ({"chosen": [1, 1]}, "chosen=[1, 1] is not two models; give two different indices"),
        ({"family": "rnn"}, "family='rnn' is not one of 'all', 'encoder', 'decoder', 'both'"),
        ({"sort": "fame"}, "sort='fame' is not one of 'name', 'year'"),
    ],
)
def test_bad_traits_are_refused_with_the_value_and_the_fix(traits, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        GalleryWidget(MODELS, **traits)


def test_one_model_is_nothing_to_compare():
    with pytest.raises(ValueError, match="models has 1 entries; give two or more"):
        GalleryWidget(MODELS[:1])
