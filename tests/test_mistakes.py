"""One mistake, one error: what follows from it is not reported, what does not is."""

# ruff: noqa: E501 - one spec a line, so that the tables can be read

import pytest

import archspec
from tests.helpers import error, errors, place_of, spec

BLOCK = """
    blocks:
      B:
        params: {n: int}
        layers:
          conv: {Conv2d: {out_channels: =n, kernel_size: 1MARK}}
          norm: BatchNorm2d
    layers:
      many: {B: {n: 3}, repeat: 16}
      sum: {Add: [many, input]}
      last: {Linear: {out_features: =input.width}, from: sum}
    """

# A `¦` stands before the place of the one error.
MISTAKES = {
    "params is a list": ("E105", "params: ¦[a]\nlayers: [{Linear: {out_features: =a}}, {Linear: {out_features: =a}}]"),
    "params is misspelt": ("E101", "¦paramz: {a: 5}\nlayers: [{Linear: {out_features: =a}}]"),
    "blocks is misspelt": ("E101", "¦blockz: {B: {layers: [ReLU]}}\nlayers: [B, {B: , from: 0}]"),
    "layers is misspelt": ("E101", "¦layerz: [ReLU]"),
    "a block is no mapping": ("E105", "blocks: {B: ¦[ReLU]}\nlayers: {a: B, b: {B: , from: input}}"),
    "a block has no layers": ("E104", "blocks: {B: ¦{params: {n: int}}}\nlayers: {a: {B: {n: 1}}, b: {B: {n: 1}, from: input}}"),
    "inputs of a block": ("E105", "blocks: {B: {inputs: ¦{x: 1}, layers: {c: {Add: [x, y]}}}}\nlayers: {a: {B: , from: [input, input]}}"),
    "params of a block": ("E105", "blocks: {B: {params: ¦[n], layers: [{Linear: {out_features: =n}}]}}\nlayers: {a: {B: {n: 3}}}"),
    "outputs of a block": ("E106", "blocks: {B: {layers: {c: ReLU, d: Tanh}, outputs: {u: ¦cc, v: d}}}\nlayers: {a: B, b: {Add: [a.u, a.v]}}"),
    "a key of an output": ("E101", "blocks: {B: {layers: {c: ReLU, d: Tanh}, outputs: {u: {¦fro: c}, v: d}}}\nlayers: {a: B, b: {Add: [a.u, a.v]}}"),
    "a misspelt argument": ("E103", "layers: {a: {Linear: {¦out_featurs: 3}}, b: {Add: [a, input]}}"),
    "a misspelt argument, reused": ("E103", "layers: {a: {Linear: {¦out_featurs: 3}}, b: {Reuse: a}, c: {Reuse: a, from: input}}"),
    "a missing argument": ("E104", "layers: {a: {¦Linear: {bias: false}}, b: {Linear: {out_features: =in_features}}}"),
    "an unknown type": ("E102", "layers: {a: {¦Convv: {x: =zz}}, b: {Add: [a, input]}, c: {ReLU: , from: a.k}}"),
    "an unknown type as a parameter": ("E102", "params: {act: Nope}\nlayers: {a: {¦=act: }, c: {Add: [a, input]}}"),
    "an unknown name in a condition": ("E108", "layers: {a: {ReLU: , when: =¦zz}, b: {Add: [a, input]}}"),
    "a condition in a list": ("E108", "layers: [{ReLU: , when: =¦zz}, Tanh, {Add: [0, 1]}]"),
    "a condition that is a number": ("E105", "layers: {a: {ReLU: , when: ¦3}, b: {Add: [a, input]}}"),
    "a template for a key": ("E108", "layers: {¦'e{k}': ReLU, b: {Add: [e1, input]}}"),
    "a loop": ("E109", "layers: {l: {for: ¦'k of [1, 2]', layers: {'e{k}': ReLU}}, b: {Add: [e1, e2]}}"),
    "a loop without layers": ("E104", "layers: {l: {¦for: 'k in [1]'}, b: {Add: [e1, input]}}"),
    "a default": ("E108", "blocks: {B: {params: {n: =¦zz}, layers: [{Linear: {out_features: =n}}]}}\nlayers: {a: B, b: B, c: {B: , repeat: 16}}"),
    "file-wide arguments": ("E105", "defaults: {Dropout: {p: ¦x}}\nlayers: [Dropout, {Dropout: , from: input}]"),
    "a cycle": ("E107", "layers: {¦a: {Add: [b, input]}, b: {ReLU: , from: a}, c: {Add: [a, b]}, d: {Tanh: , from: c}}"),
    "a reference": ("E106", "layers: {a: {Add: [¦nope, input]}, b: {Add: [a, input]}, c: {Linear: {out_features: 3}, from: b}}"),
    "a shape": ("E113", "layers: {a: {ReLU: , shape: ¦[3, 8, 9]}, b: {Add: [a, input]}}"),
    "a name": ("E111", "layers: {¦forward: ReLU, b: {Add: [forward, input]}}"),
    "two of one name": ("E111", "params: {n: a}\nlayers: {a: ReLU, ¦'{n}': Tanh, b: {Add: [a, input]}}"),
    "a merge": ("E102", "layers: {a: {merge: ¦Concta, branches: [ReLU, Tanh]}, b: {Add: [a, input]}}"),
    "a repetition": ("E105", "layers: {a: {ReLU: , repeat: ¦many}, b: {Add: [a, input]}}"),
    "an input": ("E105", "layers: {a: {Linear: {out_features: =¦input}}, b: {Add: [a, input]}}"),
    "a parameter": ("E108", "blocks: {B: {params: {n: int}, layers: [{Linear: {out_features: =n}}]}}\nlayers: {a: {B: {¦m: 3}}, b: {Add: [a, input]}}"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_one_mistake_is_one_error(name: str) -> None:
    code, body = MISTAKES[name]
    text, place = place_of(spec(body), "¦")
    assert errors(text) == [f"{code} {place}"]


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ("inputs: {image: ¦3}\n", "E105"),
        ("inputs: {image: [3, ¦0, 8]}\n", "E105"),
        ("inputs: {image: {¦shap: [3, 8, 8]}}\n", "E101"),
        ("inputs: {image: {shape: [3, 8, 8], dtype: ¦float33}}\n", "E105"),
        ("¦inputz: {image: [3, 8, 8]}\n", "E101"),
        ("inputs: {image: [3, ¦x-1, 8]}\n", "E108"),
    ],
)
def test_a_mistake_in_the_inputs_is_one_error(inputs: str, code: str) -> None:
    body = "layers: {a: {ReLU: , from: image}, b: {Linear: {out_features: =image.width}}}"
    text, place = place_of(spec(body, inputs), "¦")
    assert errors(text) == [f"{code} {place}"]


@pytest.mark.parametrize(
    ("mark", "code"), [(", strid: 2", "E103"), (", stride: x", "E105"), (", groups: 2", "E206")]
)
def test_a_mistake_in_a_block_used_16_times_is_one_error(mark: str, code: str) -> None:
    found = error(spec(BLOCK.replace("MARK", mark)))
    assert (found.code, found.line) == (code, 7)
    assert [label.place.line for label in found.labels][-1] == 10


def test_the_block_is_fine_without_it() -> None:
    assert errors(spec(BLOCK.replace("MARK", ""))) == []


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("layers: {a: {Convv: }, b: {Tanhh: , from: input}}", ["E102 3:14", "E102 3:28"]),
        ("blocks: {B: {layers: [{Linear: {}}]}}\nlayers: {z: {Convv: }, a: {B: , from: input}}", ["E104 3:24", "E102 4:14"]),
        ("layers: {a: {ReLU: , from: x}, b: {Tanh: , from: y}}\noutputs: z", ["E106 3:28", "E106 3:50", "E106 4:10"]),
        ("name: 5\nlayer: [ReLU]", ["E105 3:7", "E101 4:1"]),
        ("layers: {a: {Linear: {out_features: x, bias: 3}}}", ["E105 3:37", "E105 3:46"]),
        ("layers: {a: {Add: [b, input]}, b: {ReLU: , from: a}, c: {Add: [d, input]}, d: {ReLU: , from: c}}", ["E107 3:10", "E107 3:54"]),
        ("blocks: {B: {params: {n: int}, layers: [ReLU]}}\nlayers: {a: {B: {n: x}}, b: {B: , from: input}}", ["E105 4:21", "E104 4:30"]),
    ],
)  # fmt: skip
def test_two_mistakes_are_two_errors_in_file_order(body: str, wanted: list[str]) -> None:
    assert errors(spec(body)) == wanted


@pytest.mark.parametrize("value", [None, True, [1, None]])
def test_values_are_shown_as_a_spec_writes_them(value: object) -> None:
    written = "layers: [{Conv2d: {out_channels: 8, kernel_size: 1}, repeat: =n}]"
    report = archspec.check(spec(f"params: {{n: '=1'}}\n{written}"), params={"n": value})
    (found,) = [d for d in report.diagnostics if d.severity == "error"]
    assert found.message.endswith(("not null", "not true", "not [1, null]"))


class _Unspeakable:
    """Data of Python that no spec has: it raises for whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __bool__(self) -> bool:
        raise RuntimeError

    def __ne__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("value", [_Unspeakable(), 10**5000, "\ud800"], ids=["odd", "huge", "half"])
@pytest.mark.parametrize("key", ["archspec", "name", "params", "inputs", "layers", "outputs"])
def test_odd_python_data_is_refused_and_raises_nothing(key: str, value: object) -> None:
    good = {"archspec": 1, "inputs": {"x": [4]}, "layers": ["ReLU"]}
    report = archspec.check({**good, key: value})
    assert [d.code[0] for d in report.diagnostics] == ["E"]


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        ("Chunk: {chunks: 9223372036854775808, dim: 1}", "E105"),
        ("Chunk: {chunks: 9223372036854775807, dim: 1}", "E208"),
        ("Conv2d: {out_channels: 99999999999999999999, kernel_size: 1}", "E105"),
        (f"Parameter: {{shape: [3], init: {{normal_: {{std: {'9' * 390}}}}}}}", "E105"),
        (f"Dropout: {{p: {'9' * 390}}}", "E105"),
        ('Conv2d: {"\ud800": 1}', "E002"),
    ],
)
def test_numbers_and_texts_that_nothing_can_hold(layer: str, code: str) -> None:
    assert error(spec(f"layers: [{{{layer}}}]")).code == code


def test_half_a_character_in_data_of_python() -> None:
    layer = {"Conv2d": {"out_channels": 8, "kernel_size": 1, "\ud800": 1}}
    report = archspec.check({"archspec": 1, "inputs": {"x": [3, 8, 8]}, "layers": [layer]})
    assert [(d.code, d.place.path[-1]) for d in report.diagnostics] == [("E002", "Conv2d")]


def test_an_initialiser_with_a_number_that_no_float_holds() -> None:
    body = "layers: [{Linear: {out_features: 3}}]"
    found = error(spec(f"init: {{Linear: {{normal_: {{std: {'9' * 390}}}}}}}\n{body}"))
    assert (found.code, found.message[:25]) == ("E208", "normal_.std is too large:")
