"""Interactive figures that run in the browser, with no kernel. They take plain arrays and import no model."""

from lessons_lib.widgets.attention import AttentionWidget
from lessons_lib.widgets.transformer import TransformerWidget

__all__ = ["AttentionWidget", "TransformerWidget"]
