"""Did you mean: the known name that a mistyped or foreign one stands for."""

from collections.abc import Iterable
from itertools import islice
from typing import Final, Self

MAX_KNOWN: Final = 2000
"""Names that are compared: of more, no one could say which is meant."""

_FOREIGN: Final = {
    # layer types
    "activation": "ReLU",
    "attention selfattention multiheadedattention mha": "MultiheadAttention",
    "average averaging reducemean": "Mean",
    "averagepooling1d": "AvgPool1d",
    "averagepooling2d averagepool averagepooling": "AvgPool2d",
    "averagepooling3d": "AvgPool3d",
    "batchnormalization batchnorm bn norm": "BatchNorm2d BatchNorm1d",
    "bilstm": "LSTM",
    "cat concatenate concatenation merge": "Concat",
    "conv convolution convolution2d depthwiseconv2d separableconv2d convolutional": "Conv2d",
    "deconv deconvolution deconv2d conv2dtranspose convtranspose transposedconv2d upconv": (
        "ConvTranspose2d"
    ),
    "dense fc fullyconnected affine innerproduct gemm mlp": "Linear",
    "droppath dropconnect": "StochasticDepth",
    "drop": "Dropout p",
    "globalaveragepooling2d globalavgpool globalavgpool2d gap globalpool": "AdaptiveAvgPool2d",
    "globalmaxpooling2d globalmaxpool gmp": "AdaptiveMaxPool2d",
    "hswish": "Hardswish",
    "hsigmoid": "Hardsigmoid",
    "groupnormalization": "GroupNorm",
    "instancenormalization instancenorm": "InstanceNorm2d",
    "interpolate resize upsampling2d upsampling upsample2d": "Upsample",
    "layernormalization layernorm2d": "LayerNorm",
    "lrn localresponsenormalization": "LocalResponseNorm",
    "maxpooling1d": "MaxPool1d",
    "maxpooling2d maxpool maxpooling pool pooling": "MaxPool2d",
    "maxpooling3d": "MaxPool3d",
    "multiply product": "Mul",
    "skip noop passthrough shortcut linearactivation": "Identity",
    "plus residual eltwise elementwiseadd": "Add",
    "sdpa dotproductattention scaleddotproduct": "ScaledDotProductAttention",
    "subtract minus": "Sub",
    "divide": "Div",
    "swish": "SiLU",
    "transformer transformerencoder encoderlayer": "TransformerEncoderLayer",
    "view": "Reshape",
    "repeatelements tile": "Expand",
    "zeropadding2d zeropad padding2d": "ZeroPad2d",
    "int long integer": "int64",
    "float": "float32",
    "double": "float64",
    "half": "float16",
    # arguments
    "filters nfilters numfilters outch outchs outplanes channels outputchannels cout nout": (
        "out_channels out"
    ),
    "inch inplanes inputchannels cin": "in_channels",
    "units nunits neurons outputs outdim outputdim outfeat": "out_features embedding_dim",
    "out": "out_channels out_features",
    "indim inputdim infeat": "in_features num_embeddings",
    "kernel ks k kernalsize kernelsz filtersize poolsize window windowsize": "kernel_size",
    "size": "kernel_size output_size split_size",
    "strides s step subsample": "stride",
    "pad pads p paddings": "padding",
    "dilationrate dilations rate": "dilation p",
    "usebias withbias": "bias",
    "group ngroups": "groups num_groups",
    "prob probability droprate dropout dropoutrate keepprob ratio": "p",
    "epsilon": "eps",
    "axis axes": "dim dims",
    "dim": "dims",
    "dims": "dim",
    "dimension": "dim",
    "keepdims": "keepdim",
    "heads nheads nhead numheads": "num_heads nhead",
    "dmodel embedding embeddim": "embed_dim d_model embedding_dim",
    "vocab vocabsize numwords ntokens": "num_embeddings",
    "embeddingsize embsize": "embedding_dim",
    "hidden hiddenunits hiddendim": "hidden_size dim_feedforward",
    "layers nlayers": "num_layers",
    "slope leak alpha": "negative_slope",
    "scale factor upscale": "scale_factor upscale_factor",
    "interpolation": "mode",
    "perm order": "dims",
    "sections parts sizes": "split_size chunks",
    "n num": "chunks",
    "targetshape newshape outshape": "shape",
    "features numchannels": "num_features num_channels out_features",
    # keys
    "model network modules architecture backbone body nn": "layers",
    "parameters hyperparameters args arguments config hparams": "params",
    "input": "inputs from",
    "inputlayer parent parents bottom src source": "from inputs",
    "output returns return top": "outputs",
    "if condition enabled": "when",
    "times repeats count number": "repeat",
    "version": "archspec",
    "functions definitions defs templates": "blocks",
}
"""How other tools and tired hands spell names (folded) → our spellings, the likeliest first."""

OURS: Final = {word: ours.split() for words, ours in _FOREIGN.items() for word in words.split()}


class Remedy(str):
    """Help that can be applied: what to write instead of what.

    `certain` says that no other reading is likely, so that `--fix` may apply it unasked.
    """

    __slots__ = ("certain", "instead_of", "replacement")

    certain: bool
    instead_of: str
    replacement: str

    @classmethod
    def of(cls, text: str, instead_of: str, replacement: str, *, certain: bool) -> Self:
        """Help with this text."""
        remedy = cls(text)
        remedy.instead_of = instead_of
        remedy.replacement = replacement
        remedy.certain = certain
        return remedy


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` most likely stands for, or None.

    Case, underscores and hyphens do not count; beyond that, what other tools say for it does, and
    then a small edit distance.
    """
    found = _candidates(name, known)
    return found[0][0] if found[0] else None


def _candidates(name: str, known: Iterable[str]) -> tuple[list[str], bool]:
    """Known names for a name, the likeliest first, and whether the first is beyond doubt."""
    folded: dict[str, str] = {}
    for candidate in islice(known, MAX_KNOWN):
        folded.setdefault(_fold(candidate), candidate)
    word = _fold(name)
    if word in folded:
        return [folded[word]], True
    foreign = [folded[each] for each in map(_fold, OURS.get(word, ())) if each in folded]
    if foreign:
        return foreign, len(foreign) == 1 and foreign[0][:1].islower()
    from difflib import SequenceMatcher, get_close_matches  # only when something is wrong

    letters = sorted(word)
    swapped = [folded[each] for each in folded if sorted(each) == letters]
    if len(swapped) == 1 and len(word) > 2 and word.isalpha():
        return swapped, True  # `form` is `from`, though `for` is nearer
    close = get_close_matches(word, folded, n=2, cutoff=0.7)
    ratios = [SequenceMatcher(None, word, each).ratio() for each in close]
    sure = bool(ratios) and ratios[0] >= 0.75 and (len(ratios) < 2 or ratios[1] < ratios[0] - 0.1)
    sure = sure and _digits(word) == _digits(close[0])  # `conv12` may be any of many
    return [folded[each] for each in close], sure


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A sentence of help for a mistyped name, or None when nothing is near."""
    before, colon, after = name.partition(":")
    if colon and before.isidentifier():
        written = f"{before}: {after.rstrip(':')}".strip()
        return f"write `{written}`: YAML wants a space after the colon"
    found, certain = _candidates(name, known)
    if not found:
        return None
    return Remedy.of(f"did you mean `{found[0]}`?", name, found[0], certain=certain)


def _digits(word: str) -> list[str]:
    return [letter for letter in word if letter.isdigit()]


def _fold(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
