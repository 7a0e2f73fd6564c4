"""Network → the text of a Python file. PyTorch is not needed.

groups, folding     equal scopes are one class; runs of equal layers a loop
descriptions        what expressions have in common, and the literals in which they differ
plans, classes      how each scope is written, and which numbers are constructor arguments
written             defaults of blocks, and numbers written as `3 * dim`
numbers             those of methods: literals, or attributes that the constructor sets
schedule            the order of calls, and how long each value is needed
forward, variables  the statements of `forward`, over few variables
initial, free       `init_weights`, and a scope's own parameters and buffers
origins, signatures which arguments of the file's function stay open
expressions, layout what is printed, and its lines
file                all of it, in order
"""

from archspec.backends.source.file import generate, print_file

__all__ = ["generate", "print_file"]
