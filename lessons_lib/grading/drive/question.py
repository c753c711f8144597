"""What a lesson declares about each of its questions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Question:
    """One question, as far as the learner's side needs to know it.

    Args:
        title: three to six words.
        signature: how the learner's function or class is called, as the exercise shows it.
        make: from a seed to the named inputs.
        drive: from the learner's object and the inputs to named arrays; a name is `case.name`.
        forbidden: modules whose functions the answer may not call, for it would build nothing.
        instead: of some of these functions, by its full name, what to do in place of the call.
        seconds: the soft limit for one `drive`, of computing.
        busy: times as many by the clock are the limit on a busy machine.
        ready: loads what each `drive` would load first, for who drives many answers.
        also: the signatures of the other functions that the question asks for; `drive` then gets a tuple of them all.
    """

    title: str
    signature: str
    make: Callable[[int], Arrays]
    drive: Callable[[Any, Arrays], Arrays]
    forbidden: tuple[str, ...] = ()
    instead: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 5.0
    busy: float = 6.0
    also: tuple[str, ...] = ()
    ready: Callable[[], object] = lambda: None

    @property
    def name(self) -> str:
        """The name to be found in the learner's notebook."""
        return self.signature.partition("(")[0]

    @property
    def signatures(self) -> dict[str, str]:
        """Every name to be found, with its signature, in the order of the question."""
        return {signature.partition("(")[0]: signature for signature in (self.signature, *self.also)}


class Trouble(Exception):
    """Something about the answer that is said to the learner in one sentence, in place of a result."""
