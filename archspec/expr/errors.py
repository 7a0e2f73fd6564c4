"""What can be wrong with an expression, told without places."""

MAX_MESSAGE = 300
"""Characters of a message: it may quote a whole expression."""


class ExpressionError(Exception):
    """An expression that cannot be read or computed; `code` says which (see the table of codes).

    `offset` is the column in the expression's text, from 0, where one is known.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "E110",
        offset: int | None = None,
        help: str | None = None,
    ) -> None:
        if len(message) > MAX_MESSAGE:
            message = f"{message[: MAX_MESSAGE // 2]} … {message[-MAX_MESSAGE // 2 :]}"
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset
        self.help = help
