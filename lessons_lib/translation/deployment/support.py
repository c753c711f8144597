"""What a format cannot express is refused by its name: a file that computes something else is worse than none."""

from collections.abc import Collection

from lessons_lib.errors import UserError


def refuse_unknown(config, place: str, **known: Collection[str]) -> None:
    """Check the choices of a configuration (an object, or a dictionary).

    Args:
        place: where it should go, as in "for CTranslate2".
        known: for each choice the names that can be written there.
    Raises:
        ValueError: a choice is none of them; names it, and what can be had.
    """
    values = config if isinstance(config, dict) else vars(config)
    for name, choices in known.items():
        if name in values and values[name] not in choices:
            usable = ", ".join(choices)
            raise UserError(f"{name}={values[name]!r} cannot be written {place}; it can have {usable}")
