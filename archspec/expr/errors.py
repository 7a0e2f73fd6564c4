"""What can be wrong with an expression, told without places."""


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
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset
        self.help = help
