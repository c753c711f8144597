"""Interactive figures that run in the browser, with no kernel. They take plain arrays and import no model."""

from lessons_lib.widgets.attention import AttentionWidget

__all__ = ["AttentionWidget"]
