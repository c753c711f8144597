"""An example of each widget, with markup in every text that Python gives it, for the tests that all of them pass."""

from collections.abc import Callable

import numpy as np

from lessons_lib import widgets
from lessons_lib.sizes import presets


def marked(*names: str) -> list[str]:
    """Texts that a page shows as they are, or reads as an element and an entity: '<u>name&lt;'."""
    return [f"<u>{name}&lt;" for name in names]


(NEVER_SHOWN,) = marked("never shown")


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).round(4)


def attention() -> widgets.AttentionWidget:
    sentences = [marked("one", "two", "three", "four"), marked("five", "six")]
    columns = {"queries": 8, "keys": 8, "values": 3}
    return widgets.AttentionWidget(
        sentences=[
            {"words": words} | {name: numbers(len(words), width) for name, width in columns.items()}
            for words in sentences
        ]
    )


def beam() -> widgets.BeamTree:
    nodes = [[[1, -0.5, 1], [2, -0.9, 2]], [[0, -0.7, -1], [3, -1.4, -1]], [[0, -0.1, -1], [3, -3.0, -1]]]
    pieces = marked("end", "a", "b", "c")
    tree = {"pieces": pieces, "end": 0, "limit": 2, "nodes": nodes}
    return widgets.BeamTree([tree | {"source": source} for source in marked("first", "second")], width=2)


def models(*names: str) -> list[dict]:
    """A mapping for each of these presets; its note is shown only where the shape is not known."""
    return [
        {"name": marked(name)[0], "config": presets()[name].config.to_dict(), "note": NEVER_SHOWN} for name in names
    ]


def cache() -> widgets.CacheWidget:
    return widgets.CacheWidget(models("Transformer base", "GPT-2 small"))


def feed_forward() -> widgets.FeedForwardWidget:
    words = marked("one", "two")
    return widgets.FeedForwardWidget(
        words,
        *(numbers(*shape) for shape in ((2, 6), (2, 6), (4, 6), (4,), (4, 6), (6,))),
        names=marked("n0", "n1", "n2", "n3"),
        notes=marked("to0", "to1", "to2", "to3"),
        contexts=marked("in0", "in1"),
    )


def gallery() -> widgets.GalleryWidget:
    config = presets()["GPT-2 small"].config.to_dict()
    texts = ("name", "source", "news", "note", "objective")
    given = [
        {name: marked(f"{name}{i}")[0] for name in texts}
        | {"url": f"https://example.org/{marked(str(i))[0]}", "year": 2018 + i, "config": config}
        for i in range(3)
    ]
    return widgets.GalleryWidget(given)


def growth() -> widgets.GrowthWidget:
    pairs = [(marked("a", "b", "c"), marked("x", "y")), (marked("d", "e"), marked("u", "v", "w"))]
    sentences = [{"source": source, "target": target, "links": [(0, 0), (1, 1)]} for source, target in pairs]
    maps = [
        (100 * np.random.default_rng(i).dirichlet(np.ones(len(source)), size=(2, 3, len(target)))).round()
        for i, (source, target) in enumerate(pairs)
    ]
    numbers = {"loss": 3.0, "bleu": 20.0, "aer": 0.5}
    texts = [[*marked("t0", "u")], [" ".join(marked("x", "y")), *marked("w")]]
    states = [numbers | {"step": 100 * i, "texts": text, "weights": maps} for i, text in enumerate(texts)]
    return widgets.GrowthWidget(sentences, states)


def heads() -> widgets.HeadsWidget:
    rows, columns = marked("r0", "r1", "r2"), marked("c0", "c1", "c2", "c3")

    def attended(looking, seen):
        weights = np.random.default_rng(0).dirichlet(np.ones(len(seen)), size=(2, 3, len(looking)))
        return {"rows": looking, "columns": seen, "weights": weights}

    maps = {"cross": attended(rows, columns), "encoder": attended(columns, columns)}
    facts = [{"kind": "cross", "text": marked("fact")[0], "values": numbers(2, 3), "baseline": 0.5}]
    sentences = [{"title": title, **maps} for title in marked("title0", "title1")]
    return widgets.HeadsWidget(sentences, facts, {"cross": numbers(2, 3)})


def mask() -> widgets.MaskWidget:
    return widgets.MaskWidget(marked("one", "two", "three", "four"), padding=1)


def norm() -> widgets.NormWidget:
    tokens = dict(zip(marked("one", "two"), numbers(2, 4), strict=True))
    return widgets.NormWidget(tokens, numbers(4), numbers(4), marked("d0", "d1", "d2", "d3"))


def playground() -> widgets.PlaygroundWidget:
    return widgets.PlaygroundWidget({"task": "french"}, text=marked("hello")[0])


def positions() -> widgets.PositionsWidget:
    matrices = {"embeddings": (3, 8), "query": (4, 8), "key": (4, 8), "query_bias": (4,), "key_bias": (4,)}
    head = {"words": marked("one", "two", "three"), "swap": [0, 2]}
    return widgets.PositionsWidget(
        width=16, length=40, head=head | {name: numbers(*shape) for name, shape in matrices.items()}
    )


def qkv() -> widgets.QKVWidget:
    sentences = [marked("one", "two", "three"), marked("four", "five")]
    return widgets.QKVWidget(
        w_query=numbers(4, 2),
        w_key=numbers(4, 2),
        w_value=numbers(4, 3),
        sentences=[{"words": words, "embeddings": numbers(len(words), 4)} for words in sentences],
        value_names=marked("v0", "v1", "v2"),
    )


def sentences() -> widgets.SentenceBrowser:
    both = marked("both")[0]

    def sentence(number: int) -> dict:
        texts = {
            name: " ".join([*marked(*(f"{name}{number}{i}" for i in range(3))), both])
            for name in ("source", "reference", "greedy", "beam")
        }
        return texts | {
            "split": marked(f"split{number}")[0],
            "tags": {"greedy": marked("tag0", "tag1"), "beam": marked("tag1")},
            "attention": {system: np.full((4, 4), 0.25) for system in ("greedy", "beam")},
            "links": [(0, 0, 1), (1, 1, 0)],
        }

    chosen = {"split": marked("split0")[0], "tag": marked("tag1")[0], "search": both}
    return widgets.SentenceBrowser([sentence(number) for number in range(3)], **chosen)


def sizes() -> widgets.SizesWidget:
    unknown = {"name": marked("unknown")[0], "config": None, "note": marked("nothing")[0]}
    return widgets.SizesWidget([*models("GPT-2 small", "Transformer base"), unknown])


def transformer() -> widgets.TransformerWidget:
    preset = {"name": marked("preset")[0], "sizes": {"d_model": 8, "n_heads": 2}}
    return widgets.TransformerWidget(marked("s0", "s1", "s2"), marked("t0", "t1"), [preset])


def translator() -> widgets.TranslatorWidget:
    shared = {"file": "x.bin", "sentences": marked("first", "second")}
    models = [shared | {"name": marked(f"model{i}")[0], "knows": marked(f"knows{i}")[0]} for i in (0, 1)]
    return widgets.TranslatorWidget(models=models)


EXAMPLES: dict[type, Callable] = {
    widgets.AttentionWidget: attention,
    widgets.BeamTree: beam,
    widgets.CacheWidget: cache,
    widgets.FeedForwardWidget: feed_forward,
    widgets.GalleryWidget: gallery,
    widgets.GrowthWidget: growth,
    widgets.HeadsWidget: heads,
    widgets.MaskWidget: mask,
    widgets.NormWidget: norm,
    widgets.PlaygroundWidget: playground,
    widgets.PositionsWidget: positions,
    widgets.QKVWidget: qkv,
    widgets.SentenceBrowser: sentences,
    widgets.SizesWidget: sizes,
    widgets.TransformerWidget: transformer,
    widgets.TranslatorWidget: translator,
}
