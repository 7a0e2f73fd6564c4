"""`requires:`: what the author says of the input sizes, held against what the layers need."""

import operator
from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping
from typing import Any, Final

from archspec.diagnostics import Refused, did_you_mean, shown
from archspec.expand.breaking import reason
from archspec.expand.context import Context, Names
from archspec.network import Network
from archspec.sizes import Condition, Measured, Size, ValidSizes, equal, size_of, unequal
from archspec.sizes.declaration import Declaration, as_requirement, shortfall
from archspec.sizes.valid import SEARCHED
from archspec.spec import Comparison, Requirement
from archspec.syntax import Scalar

_COMPARE: Final[AbstractMapping[str, Callable[[Any, Any], bool | Condition]]] = {
    "==": equal,
    "!=": unequal,
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}


def declare(context: Context, symbols: AbstractMapping[str, Size], names: Names) -> Declaration:
    """What is declared of the symbols, some of which may have a size. Reports what is wrong."""
    declared: dict[str, None] = {}
    conditions: dict[Condition, None] = {}
    for requirement in context.spec.requires:
        name = requirement.symbol.text
        if name not in symbols:
            _unknown(context, requirement.symbol, symbols, names)
            continue
        declared[name] = None
        for comparison in requirement.comparisons:
            condition = _condition(context, name, comparison, symbols[name], names)
            if condition is not None:
                conditions[condition] = None
    declared.update((name, None) for each in conditions for name in sorted(each.symbols))
    still_open = tuple(name for name in declared if not isinstance(symbols[name], int))
    return Declaration(still_open, tuple(conditions))


def _unknown(
    context: Context, symbol: Scalar, symbols: AbstractMapping[str, Size], names: Names
) -> None:
    name = symbol.text
    message = f"`requires:` speaks of `{name}`, and no input has a symbol of that name"
    help = did_you_mean(name, symbols)
    if name in names:
        message = f"`requires:` speaks of symbols, and `{name}` is none"
    if help is None and symbols:
        help = f"the symbols are {', '.join(symbols)}"
    elif help is None:
        help = "a symbol is a new word in the shape of an input: `inputs: {image: [3, H, W]}`"
    context.report("E108", message, symbol.place, help=help)


def _condition(
    context: Context, name: str, comparison: Comparison, size: Size, names: Names
) -> Condition | None:
    """The condition of a comparison; None if it always holds, or was reported."""
    try:
        left = _remainder(context, comparison, size, names)
        bound = _size(context, comparison.bound, names)
    except Refused:
        return None
    holds = _COMPARE[comparison.relation](left, bound)
    if isinstance(holds, Condition):
        return holds
    if not holds and not (isinstance(size, int) and context.found.failed):
        said = comparison.node.text
        message = f"`{said}` holds for no {name}"
        if isinstance(size, int):
            message = f"`requires:` says `{said}` of {name}, which is {size} here"
        context.report("E125", message, comparison.node.place)
    return None


def _remainder(context: Context, comparison: Comparison, size: Size, names: Names) -> Size:
    """The left side: the size, or its remainder."""
    if comparison.divisor is None:
        return size
    divisor = _size(context, comparison.divisor, names)
    if not isinstance(divisor, int) or divisor < 1:
        message = f"a size is divided by whole numbers of at least 1, not by {divisor}"
        raise context.report("E105", message, comparison.divisor.place)
    return size % divisor


def _size(context: Context, node: Scalar, names: Names) -> Size:
    value = context.compute(node, node.text, names)
    if type(value) is not int and not isinstance(value, Measured):
        message = f"a size is compared with whole numbers and sizes, not with {shown(value)}"
        raise context.report("E105", message, node.place)
    return size_of(value)


def declared_sizes(network: Network, context: Context) -> dict[str, int]:
    """Sizes that are declared and work. Refuses a declaration that allows more, or nothing.

    Requires that some sizes work.
    """
    declaration = network.declaration
    declared = ValidSizes(network.sizes.symbols, declaration.conditions)
    for requirement in context.spec.requires:
        _refuse_empty(context, declared, requirement)
    found = shortfall(declared, network.layer_sizes, declaration.symbols)
    if found.sizes is not None:
        raise _too_weak(network, context, found.sizes)
    sizes = network.sizes.example()
    if sizes is None:
        said = " and ".join(network.sizes.needs())
        message = f"no sizes were found, among {SEARCHED} of each symbol, for which {said}"
        raise context.report("E125", message, context.spec.requires[0].node.place)
    for what in found.undecided:
        message = f"whether all declared sizes work is not decided for `{what}`: those tried do"
        requirement = _requirement_of(context, what) or context.spec.requires[0]
        context.report("N404", message, requirement.node.place)
    return sizes


def _refuse_empty(context: Context, declared: ValidSizes, requirement: Requirement) -> None:
    """Refuse a requirement that no size meets."""
    name = requirement.symbol.text
    each = declared.sets.get(name)
    if each is not None and each.empty:
        said = " and ".join(f"`{comparison.node.text}`" for comparison in requirement.comparisons)
        raise context.report("E125", f"no {name} meets {said}", requirement.node.place)


def _too_weak(network: Network, context: Context, sizes: AbstractMapping[str, int]) -> Refused:
    """Report the sizes that were declared, and do not work; with the layer that refuses them."""
    works = network.layer_sizes
    guilty = [n for n in network.declaration.symbols if sizes[n] not in works.sets[n]]
    shown = ", ".join(f"{name} = {sizes[name]}" for name in guilty[:1] or sizes)
    place = context.spec.requires[0].node.place
    notes, help = tuple(f"they need {tie}" for tie in works.ties if not tie.at(sizes)), None
    if guilty:
        requirement = _requirement_of(context, guilty[0])
        place = requirement.node.place if requirement is not None else place
        notes = (f"its layers take {works.sets[guilty[0]]}",)
        both = network.sizes.sets[guilty[0]]
        said = as_requirement((works.sets[guilty[0]] if both.empty else both).sizes)
        help = f'write `{guilty[0]}: "{said}"`' if said else None
    message = f"`requires:` lets {shown} pass, which does not work"
    return context.report(
        "E125", message, place, labels=reason(network, sizes).labels, notes=notes, help=help
    )


def _requirement_of(context: Context, name: str) -> Requirement | None:
    return next((each for each in context.spec.requires if each.symbol.text == name), None)
