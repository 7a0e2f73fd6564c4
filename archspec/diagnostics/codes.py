"""The table of codes: what archspec can say, and which promise each code makes.

The class of an error says what it owes (see `docs/contract.md`):

- *torch*: PyTorch on CPU raises too, at construction or in `forward`.
- *meaning*: PyTorch would run, but compute something else than what was written.
- *language*: spelling, names, limits and annotations of the spec language itself.
- *lint*, *note*: the spec is accepted; the message says what to look at.
"""

from typing import Literal, NamedTuple

Class = Literal["torch", "meaning", "language", "lint", "note"]


class Code(NamedTuple):
    """One row of the table: the class of a code and what it stands for."""

    cls: Class
    title: str


CODES: dict[str, Code] = {
    # -- reading -------------------------------------------------------------------------------
    "E001": Code("language", "the file cannot be read"),
    "E002": Code("language", "the text is not YAML"),
    "E003": Code("language", "a key appears twice"),
    "E004": Code("language", "a YAML feature that specs do not use (tags, merge keys, documents)"),
    "E005": Code("language", "a limit on size, depth or expansion is exceeded"),
    # -- the language --------------------------------------------------------------------------
    "E101": Code("language", "an unknown or misplaced key"),
    "E102": Code("language", "an unknown layer type"),
    "E103": Code("language", "an unknown argument"),
    "E104": Code("language", "a missing argument or key"),
    "E105": Code("language", "an argument or value of the wrong type"),
    "E106": Code("language", "a reference to a layer that does not exist"),
    "E107": Code("language", "the layers form a cycle"),
    "E108": Code("language", "an unknown parameter or name in an expression"),
    "E109": Code("language", "an expression that cannot be read"),
    "E110": Code("language", "an expression that cannot be computed"),
    "E111": Code("language", "a name that cannot be used"),
    "E112": Code("language", "the wrong number of inputs or an ambiguous input"),
    "E113": Code("language", "a `shape:` annotation that does not hold"),
    "E114": Code("language", "a size that must be known is symbolic"),
    "E115": Code("language", "a network without layers or outputs"),
    "E116": Code("language", "no input size works, or none was found"),
    "E117": Code("language", "a free tensor where a layer needs a batch"),
    "E118": Code("language", "what PyTorch runs for some batches, devices or modes only"),
    "E119": Code("language", "an unknown variant"),
    "E120": Code("language", "a file of `extends:` or `include:` that cannot be read"),
    "E121": Code("language", "a file outside of the folders that a spec may read"),
    "E122": Code("language", "files that bring in each other in a circle"),
    "E123": Code("language", "an `expect:` that does not hold"),
    "E125": Code("language", "a `requires:` that does not hold"),
    "E126": Code("language", "a layer type of your own whose rules fail"),
    # -- PyTorch refuses -----------------------------------------------------------------------
    "E201": Code("torch", "shapes that do not go together"),
    "E202": Code("torch", "sizes that differ in a concatenation"),
    "E203": Code("torch", "an input with the wrong number of dimensions"),
    "E204": Code("torch", "a window that does not fit its input"),
    "E205": Code("torch", "a given size that its input contradicts"),
    "E206": Code("torch", "a number that does not divide another"),
    "E207": Code("torch", "a dtype that the layer does not take"),
    "E208": Code("torch", "an argument outside its range"),
    "E209": Code("torch", "a number of elements that does not come out"),
    "E210": Code("torch", "a dimension that does not exist"),
    "E211": Code("torch", "an input without elements where the layer needs some"),
    "E212": Code("torch", "a layer without a shape rule that raises itself"),
    # -- PyTorch would compute something else --------------------------------------------------
    "E501": Code("meaning", "an input that PyTorch would read without its batch"),
    "E502": Code("meaning", "the batch would mix with another dimension"),
    "E503": Code("meaning", "PyTorch would read or train something else"),
    # -- accepted, with a word -----------------------------------------------------------------
    "W301": Code("lint", "a layer that nothing uses"),
    "W302": Code("lint", "a parameter or block that nothing uses"),
    "W303": Code("lint", "an output layer that is also somebody's implicit input"),
    "W304": Code("lint", "a result without elements"),
    "W305": Code("lint", "an argument without effect"),
    "W306": Code("lint", "a sum or product that stretches its inputs"),
    "W307": Code("lint", "a bias without effect before a batch norm"),
    "W308": Code("lint", "an activation or norm twice in a row"),
    "W309": Code("lint", "a window over a map of one point"),
    "W310": Code("lint", "input that no window reaches"),
    "W311": Code("lint", "a softmax at the end of a network"),
    "W312": Code("lint", "a word that YAML 1.1 reads differently"),
    "W313": Code("lint", "an expression cut off by a comment"),
    "W314": Code("lint", "an `init:` that names nothing"),
    "N401": Code("note", "training needs a batch of 2 or more"),
    "N402": Code("note", "shapes were found by running the layer on the meta device"),
    "N403": Code("note", "only some input sizes work"),
    "N404": Code("note", "whether a declaration holds for every size is not decided"),
    "N405": Code("note", "sizes beyond a table are not decided"),
}
