"""Interactive figures that run in the browser, with no kernel. They take plain arrays and import no model."""

from lessons_lib.widgets.attention import AttentionWidget
from lessons_lib.widgets.beam import BeamTree
from lessons_lib.widgets.cache import CacheWidget
from lessons_lib.widgets.feed_forward import FeedForwardWidget
from lessons_lib.widgets.gallery import GalleryWidget
from lessons_lib.widgets.growth import GrowthWidget
from lessons_lib.widgets.heads import HeadsWidget
from lessons_lib.widgets.mask import MaskWidget
from lessons_lib.widgets.norm import NormWidget
from lessons_lib.widgets.positions import PositionsWidget
from lessons_lib.widgets.qkv import QKVWidget
from lessons_lib.widgets.sentences import SentenceBrowser
from lessons_lib.widgets.sizes import SizesWidget
from lessons_lib.widgets.transformer import TransformerWidget
from lessons_lib.widgets.translator import TranslatorWidget

__all__ = [
    "AttentionWidget",
    "BeamTree",
    "CacheWidget",
    "FeedForwardWidget",
    "GalleryWidget",
    "GrowthWidget",
    "HeadsWidget",
    "MaskWidget",
    "NormWidget",
    "PositionsWidget",
    "QKVWidget",
    "SentenceBrowser",
    "SizesWidget",
    "TransformerWidget",
    "TranslatorWidget",
]
