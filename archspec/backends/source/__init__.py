"""Network → the text of a Python file. PyTorch is not needed.

plans, classes        how each scope is written, and which scopes are one class
descriptions, folding what expressions have in common; runs of equal layers as a loop
variants              names for the classes of one block
constructors, numbers which numbers are arguments, those of methods included
written               defaults of blocks, and numbers written as `3 * dim`
schedule, variables   the order of calls, and few variables for what they give
forward, results      the statements of `forward`, and what it returns
initial, free         `init_weights`, and a scope's own parameters and buffers
small                 modules that the file defines for itself
origins, signatures   which arguments of the file's function stay open; shapes in docstrings
expressions, spelling what is printed, with the numbers of its class
groups, layout        its lines
file                  all of it, in order
"""

from archspec.backends.source.file import generate, print_file

__all__ = ["generate", "print_file"]
