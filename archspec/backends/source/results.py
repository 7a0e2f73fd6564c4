"""What `forward` returns: a tensor, a named tuple, or a dict."""

from archspec.backends.source.forward import braced
from archspec.backends.source.literals import literal
from archspec.graph import Composite, Output
from archspec.names import is_field


class Results:
    """The named tuples of a file, and the expressions that make them."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        """The names at the top of the file."""
        self.tuples: dict[str, tuple[str, ...]] = {}
        """Named tuples: their fields."""

    def returned(self, scope: Composite, name: str, *, training: bool) -> str:
        """The expression that `forward` returns, over `{v0}`, `{v1}`, … for values."""
        outputs = _present(scope, training=training)
        if scope.as_dict:
            pairs = (f"{braced(literal(o.name))}: {{v{o.value}}}" for o in outputs)
            return f"{{{{{', '.join(pairs)}}}}}"
        values = [f"{{v{o.value}}}" for o in outputs]
        if len(outputs) == 1:
            return values[0]
        return f"{self.tuple_name(scope, name, training=training)}({', '.join(values)})"

    def result_type(self, scope: Composite, name: str) -> str:
        """The annotation of what `forward` returns."""
        if scope.as_dict:
            return "dict[str, Tensor]"
        kinds = [
            self.tuple_name(scope, name, training=mode)
            if len(_present(scope, training=mode)) > 1
            else "Tensor"
            for mode in (False, True)
        ]
        return " | ".join(dict.fromkeys(kinds))

    def tuple_name(self, scope: Composite, name: str, *, training: bool) -> str:
        """The named tuple that a scope returns in this mode: one for each list of fields."""
        extra = training and any(o.training_only for o in scope.outputs)
        wanted = f"{name}TrainingOutput" if extra else f"{name}Output"
        fields = tuple(output.name for output in _present(scope, training=training))
        assert all(map(is_field, fields)), "a field is code as it is"
        chosen, number = wanted, 2
        while self.tuples.get(chosen) != fields and chosen in self.taken:
            chosen, number = f"{wanted}{number}", number + 1
        self.tuples[chosen] = fields
        self.taken.add(chosen)
        return chosen


def _present(scope: Composite, *, training: bool) -> list[Output]:
    """The outputs of a mode."""
    return [output for output in scope.outputs if training or not output.training_only]
