"""The one exception for a user's mistake: printed as one line with a hint, exit status 2, never a traceback."""

from __future__ import annotations


class UserError(Exception):
    """Bad input. `message` names file, row, column, value and rule; `hint` says what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message
