"""The expression language: what may stand behind `=`, in `for`, and in `{}` of a name."""

from archspec.expr.bounds import MAX_INTEGER, MAX_STEPS
from archspec.expr.clauses import ForClause, Template, compile_for, compile_template
from archspec.expr.compiler import Expression, compile_expression
from archspec.expr.errors import ExpressionError
from archspec.expr.facts import Facts
from archspec.expr.formula import Formula, capture
from archspec.expr.functions import FUNCTIONS
from archspec.expr.operators import truth
from archspec.expr.scope import Scope

__all__ = [
    "FUNCTIONS",
    "MAX_INTEGER",
    "MAX_STEPS",
    "Expression",
    "ExpressionError",
    "Facts",
    "ForClause",
    "Formula",
    "Scope",
    "Template",
    "capture",
    "compile_expression",
    "compile_for",
    "compile_template",
    "truth",
]
