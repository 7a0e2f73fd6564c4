"""What a check found."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from archspec.diagnostics import Diagnostic
from archspec.network import Network
from archspec.rows import LayerRow


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. `network` is there when the spec was accepted and has one."""

    diagnostics: tuple[Diagnostic, ...]
    network: Network | None = None
    """Of the variant that was asked for, or of the defaults; None if some parameter has none."""
    rows: tuple[LayerRow, ...] = ()
    """Of a refused spec: the layers in call order, up to the first mistake."""
    variants: Mapping[str, Network] = field(default_factory=dict)
    """The networks of all variants, where none was asked for."""

    work: int = 0
    """Steps that the expansion took."""
    blocks: tuple[str, ...] = ()
    """Of a file of blocks, for others to include: their names. They are checked where used."""

    @property
    def ok(self) -> bool:
        """Whether the spec was accepted: warnings and notes do not count."""
        return not any(diagnostic.severity == "error" for diagnostic in self.diagnostics)
