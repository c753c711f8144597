"""Interactive figures that run in the browser, with no kernel. They take plain arrays and import no model."""

from lessons_lib.widgets.attention import AttentionWidget
from lessons_lib.widgets.feed_forward import FeedForwardWidget
from lessons_lib.widgets.heads import HeadsWidget
from lessons_lib.widgets.mask import MaskWidget
from lessons_lib.widgets.norm import NormWidget
from lessons_lib.widgets.positions import PositionsWidget
from lessons_lib.widgets.qkv import QKVWidget
from lessons_lib.widgets.sentences import SentenceBrowser
from lessons_lib.widgets.sizes import SizesWidget
from lessons_lib.widgets.transformer import TransformerWidget

__all__ = [
    "AttentionWidget",
    "FeedForwardWidget",
    "HeadsWidget",
    "MaskWidget",
    "NormWidget",
    "PositionsWidget",
    "QKVWidget",
    "SentenceBrowser",
    "SizesWidget",
    "TransformerWidget",
]
