"""Names that a child of a module cannot have.

`nn.Module.add_module` refuses an empty name, one with a dot, and one that a module has as an
attribute already. A test compares this list with torch.
"""

from keyword import iskeyword
from typing import Final

TAKEN: Final = frozenset(
    """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda
    double dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter
    get_submodule half ipu load_state_dict modules mtia named_buffers named_children named_modules
    named_parameters parameters register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu
    zero_grad
    __annotations__ __call__ __class__ __delattr__ __dict__ __dir__ __doc__ __eq__ __format__
    __ge__ __getattr__ __getattribute__ __getstate__ __gt__ __hash__ __init__ __init_subclass__
    __le__ __lt__ __module__ __ne__ __new__ __reduce__ __reduce_ex__ __repr__ __setattr__
    __setstate__ __sizeof__ __str__ __subclasshook__ __weakref__
    _apply _backward_hooks _backward_pre_hooks _buffers _call_impl _compiled_call_impl
    _forward_hooks _forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks
    _forward_pre_hooks_with_kwargs _get_backward_hooks _get_backward_pre_hooks _get_name
    _is_full_backward_hook _load_from_state_dict _load_state_dict_post_hooks
    _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook _modules _named_members
    _non_persistent_buffers_set _parameters _register_load_state_dict_pre_hook
    _register_state_dict_hook _replicate_for_data_parallel _save_to_state_dict _slow_forward
    _state_dict_hooks _state_dict_pre_hooks _version _wrapped_call_impl
    """.split()  # noqa: SIM905 - a hundred names read better as text
)
"""Attributes of a plain `nn.Module`."""
METHODS: Final = frozenset({"init_weights", "reset_parameters"})
"""Methods of generated classes, which initialise."""
RESERVED: Final = frozenset({"input", *METHODS})
"""Names with a meaning in the language, or in what is made of it."""
MAX_LENGTH: Final = 200


def refusal(name: str) -> str | None:
    """Why a child cannot be called `name`, or None if it can."""
    if not name:
        return "a layer needs a name"
    if name == "input":
        return f"`{name}` stands for the input of the scope"
    if name in METHODS:
        return f"`{name}` is what initialises a module"
    if "." in name:
        return f"`{name}` has a dot, which separates the names in a state dict"
    if name in TAKEN:
        return f"`{name}` would hide `nn.Module.{name}`"
    if len(name) > MAX_LENGTH:
        return f"the name is longer than {MAX_LENGTH} characters"
    return None


def as_read(name: str) -> str:
    """A name as Python reads it: some letters it takes for others."""
    if name.isascii():
        return name
    from unicodedata import normalize  # needed by few

    return normalize("NFKC", name)


def is_word(name: str) -> bool:
    """Whether this can be a name in Python."""
    return name.isidentifier() and not iskeyword(as_read(name))


def is_field(name: str) -> bool:
    """Whether a named tuple may have a field of this name."""
    return is_word(name) and not as_read(name).startswith("_")


def field_like(name: str) -> str:
    """A name for a field: this one, with `_` in place of what none may have."""
    found = "".join(each if f"a{each}".isidentifier() else "_" for each in as_read(name))
    return found if is_field(found) else f"layer_{found}"


def renaming(name: str) -> str | None:
    """Help for a name that is refused: one like it that is not."""
    for other in (name.replace(".", "_"), f"{name}_", f"{name}_layer"):
        if other != name and refusal(other) is None:
            return f"call it `{other}`, for example"
    return None
