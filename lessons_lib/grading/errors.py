"""What goes wrong between a learner and `check`: one sentence each, without the calls inside."""


class CheckError(ValueError):
    """`check` was called for something that is not there."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows instead of a traceback."""
        return [str(self)]


class PartError(CheckError):
    """A part that cannot be kept or found."""
