"""The user's mistakes, told apart from ours."""


class UserError(ValueError):
    """What the user can mend: one line that names the value and the fix. Commands print it, and end with code 2.

    It is a `ValueError`, so that who calls the library catches it as one.
    """
