"""What archspec says about a spec: places, codes, diagnostics, and how they are printed."""

from archspec.diagnostics.codes import CODES, Code
from archspec.diagnostics.model import (
    Collector,
    Diagnostic,
    Fault,
    Label,
    Place,
    Refused,
    Severity,
    Source,
    SpecError,
)
from archspec.diagnostics.suggest import Remedy, did_you_mean, nearest
from archspec.diagnostics.words import shown

__all__ = [
    "CODES",
    "Code",
    "Collector",
    "Diagnostic",
    "Fault",
    "Label",
    "Place",
    "Refused",
    "Remedy",
    "Severity",
    "Source",
    "SpecError",
    "did_you_mean",
    "nearest",
    "shown",
]
