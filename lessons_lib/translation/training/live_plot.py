"""Loss and BLEU as they come, in a notebook: one picture that is drawn anew every few seconds."""

import io
import sys
import time
import warnings

EVERY = 3.0  # seconds between two drawings, at least
SHARE = 0.01  # of the time goes into drawing, at most


def in_notebook() -> bool:
    """Whether this runs in the kernel of a notebook, which can show pictures."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


class LivePlot:
    """A picture of a training's metrics below the cell. What goes wrong in drawing is said once, and ends the drawing.

    Args:
        metrics: the rows of ``metrics.jsonl``, a list that grows.
    """

    def __init__(self, metrics: list[dict]):
        self._metrics, self._shown, self._broken = metrics, None, False
        self._next = time.monotonic() + EVERY

    def update(self, last: bool = False) -> None:
        """Draw, unless it was done a moment ago; always if this is the ``last`` time."""
        if self._broken or not self._metrics or (time.monotonic() < self._next and not last):
            return
        try:
            from lessons_lib import figures  # here: a training without a plot needs no matplotlib

            begin = time.monotonic()
            self._show(figures.training_curves(self._metrics))
            end = time.monotonic()
            self._next = end + max(EVERY, (end - begin) / SHARE)
        except Exception as error:
            self._broken = True
            warnings.warn(f"no live plot ({type(error).__name__}: {error}); the training goes on", stacklevel=2)

    def _show(self, figure) -> None:
        from IPython.display import Image, display

        data = io.BytesIO()
        figure.savefig(data, format="png", dpi=80)
        image = Image(data.getvalue(), alt=_in_words(self._metrics))
        if self._shown is None:
            self._shown = display(image, display_id=True)
        else:
            self._shown.update(image)


def _in_words(metrics: list[dict]) -> str:
    """What the picture shows, for those who do not see it."""
    words = [f"Training at step {metrics[-1]['step']}"]
    forms = {"loss": "loss {:.2f}", "valid_loss": "validation loss {:.2f}", "valid_bleu": "BLEU {:.1f}"}
    for name, form in forms.items():
        values = [row[name] for row in metrics if name in row]
        words += [form.format(values[-1])] if values else []
    return ", ".join(words)
