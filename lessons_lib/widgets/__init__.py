"""Interactive figures that run in the browser, with no kernel. They take plain arrays and import no model."""

from lessons_lib.widgets.attention import AttentionWidget
from lessons_lib.widgets.feed_forward import FeedForwardWidget

__all__ = ["AttentionWidget", "FeedForwardWidget"]
