"""Checkpoints: what fits is loaded, and the report names exactly the damage."""

import copy
import io
import os
import pickle
import struct
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from archspec.backends.files.checkpoint import WeightsError
from archspec.backends.files.renames import guess_renames, rename_patterns
from archspec.backends.files.weights import load_weights
from archspec.backends.files.weights_report import MAX_LINES, WeightsReport, grouped

State = dict[str, Any]


class Net(nn.Module):
    """Two numbered layers with norms, and a head."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)
        )
        self.fc = nn.Linear(4, classes)


def saved(state: Any, folder: Path, name: str = "net.pth") -> Path:
    torch.save(state, folder / name)
    return folder / name


def state_of(module: nn.Module) -> State:
    return {key: value.clone() for key, value in module.state_dict().items()}


def filled(value: float = 0.5) -> State:
    """The weights of another net, all the same number."""
    return {
        key: torch.full_like(each, value) if each.is_floating_point() else torch.tensor(7)
        for key, each in Net().state_dict().items()
    }


def equal(module: nn.Module, state: State) -> bool:
    own = module.state_dict()
    return own.keys() == state.keys() and all(torch.equal(own[key], state[key]) for key in own)


def refusal(module: nn.Module, path: Path) -> WeightsReport:
    """The report of a file that does not fit; nothing of it was loaded."""
    before = state_of(module)
    with pytest.raises(WeightsError, match="does not fit") as raised:
        load_weights(module, path)
    assert equal(module, before)
    assert raised.value.report is not None
    return raised.value.report


def message(path: Path) -> str:
    """Why a file cannot be read."""
    with pytest.raises(WeightsError) as raised:
        load_weights(Net(), path)
    assert raised.value.report is None
    assert "\n" not in str(raised.value)
    return str(raised.value)


def loads_or_says_why(path: Path) -> None:
    """The file loads, or is refused in our words: never another exception."""
    why = str(path)
    try:
        load_weights(Net(), path)
    except WeightsError as error:
        why = str(error)
    assert str(path) in why


# What fits.


def test_a_state_dict_loads(tmp_path: Path) -> None:
    module = Net()
    report = load_weights(module, saved(filled(), tmp_path))
    assert equal(module, filled())
    assert report.ok
    assert report.text() == ""
    assert report.loaded == tuple(filled())


def test_safetensors_load_by_suffix_and_by_content(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    for name in ("net.safetensors", "net.bin"):
        save_file(filled(), tmp_path / name)
        module = Net()
        assert load_weights(module, tmp_path / name).ok
        assert equal(module, filled())


def test_the_older_format_of_torch_save_loads(tmp_path: Path) -> None:
    torch.save(filled(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert load_weights(Net(), tmp_path / "old.pth").ok


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_what_a_training_script_saves_around_it_is_taken_away(key: str, tmp_path: Path) -> None:
    checkpoint = {"epoch": 3, key: filled(), "optimizer": {"state": {}}}
    report = load_weights(Net(), saved(checkpoint, tmp_path))
    assert report.ok
    assert report.stripped == (f"the entry `{key}`",)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "model.net."])
def test_names_before_all_keys_are_taken_away(prefix: str, tmp_path: Path) -> None:
    module = Net()
    state = {prefix + key: value for key, value in filled().items()}
    report = load_weights(module, saved(state, tmp_path))
    assert equal(module, filled())
    assert "stripped" in report.text()
    assert prefix.split(".")[0] in report.text()


def test_names_that_compiled_blocks_put_into_keys_are_taken_away(tmp_path: Path) -> None:
    module = Net()
    module.features[0] = torch.compile(module.features[0], backend="eager")
    state = module.state_dict()
    assert "features.0._orig_mod.weight" in state
    assert load_weights(Net(), saved(state, tmp_path)).ok


def test_a_module_that_has_such_names_itself_keeps_them(tmp_path: Path) -> None:
    outer = nn.ModuleDict({"module": Net()})
    assert load_weights(outer, saved(state_of(outer), tmp_path)).stripped == ()


def test_real_checkpoints_of_ddp(tmp_path: Path) -> None:
    wrapped = nn.DataParallel(Net())
    assert load_weights(Net(), saved(wrapped.state_dict(), tmp_path)).ok


def test_a_norm_saved_without_its_counter_loads_as_in_pytorch(tmp_path: Path) -> None:
    old = {k: v for k, v in filled().items() if not k.endswith("num_batches_tracked")}
    assert load_weights(Net(), saved(old, tmp_path)).ok
    new = Net().state_dict()  # notes that its norms have counters
    for key in [k for k in new if k.endswith("num_batches_tracked")]:
        del new[key]
    report = refusal(Net(), saved(new, tmp_path))
    with pytest.raises(RuntimeError):
        Net().load_state_dict(new)
    assert report.missing == ("features.1.num_batches_tracked", "features.3.num_batches_tracked")


def test_other_dtypes_are_converted_and_told(tmp_path: Path) -> None:
    halves = {k: v.half() if v.is_floating_point() else v for k, v in filled().items()}
    module = Net()
    report = load_weights(module, saved(halves, tmp_path))
    assert report.ok
    assert equal(module, filled())
    assert "converted from float16 to float32: 14 keys" in report.text()


def test_what_cannot_be_converted_is_refused(tmp_path: Path) -> None:
    state = filled()
    state["fc.weight"] = state["fc.weight"].to(torch.complex64)
    report = refusal(Net(), saved(state, tmp_path))
    assert list(report.dtypes) == ["fc.weight"]
    assert "complex64 in the file, float32 in the module" in report.text()


def test_a_module_on_meta_becomes_real_in_its_own_dtype(tmp_path: Path) -> None:
    with torch.device("meta"):
        module = Net().double()
    load_weights(module, saved(filled(), tmp_path))
    assert {each.device.type for each in module.state_dict().values()} == {"cpu"}
    assert module.fc.weight.dtype == torch.float64
    assert isinstance(module.fc.weight, nn.Parameter)
    assert module.fc.weight.requires_grad
    assert float(module.fc.weight.detach()[0, 0]) == 0.5


# What does not fit.


def test_partial_loads_what_fits(tmp_path: Path) -> None:
    module = Net(classes=3)
    head = module.fc.weight.clone()
    report = load_weights(
        module, saved({**filled(), "extra": torch.zeros(1)}, tmp_path), partial=True
    )
    assert torch.equal(module.fc.weight, head)
    assert module.features[0].weight.unique().tolist() == [0.5]
    assert list(report.shapes) == ["fc.weight", "fc.bias"]
    assert report.unexpected == ("extra",)
    assert not report.ok
    assert "fc.* (2 keys), such as fc.weight: 10×4 in the file, 3×4 in the module" in report.text()


def test_whole_modules_are_shown_as_one(tmp_path: Path) -> None:
    state = {key: value for key, value in filled().items() if not key.startswith("features.3")}
    report = refusal(Net(), saved({**state, "old.a": torch.zeros(1)}, tmp_path))
    assert "missing in the file: features.3.* (5 keys)" in report.text()
    assert "unexpected in the file: old.a" in report.text()
    assert "of 16 keys 5 missing, 1 unexpected" in report.summary()


def test_a_renamed_layer_is_recognised(tmp_path: Path) -> None:
    state = {key.replace("fc.", "classifier."): value for key, value in filled().items()}
    report = refusal(Net(), saved(state, tmp_path))
    assert report.renames == {"classifier.weight": "fc.weight", "classifier.bias": "fc.bias"}
    assert "does `classifier.*` in the file mean `fc.*`? (2 keys)" in report.text()


def test_a_text_is_never_a_wall(tmp_path: Path) -> None:
    class Wide(nn.Module):
        def __init__(self, size: int, name: str) -> None:
            super().__init__()
            for n in range(300):
                self.add_module(f"{name}{n}", nn.Linear(size, size))

    names = [saved(state_of(Wide(3, name)), tmp_path, f"{name}.pth") for name in ("layer", "zz")]
    for path in names:
        report = refusal(Wide(2, "layer"), path)
        assert len(report.text().splitlines()) <= 4 * MAX_LINES
        assert len(report.text()) < 3000


def test_the_names_of_torch_say_the_same(tmp_path: Path) -> None:
    """Missing and unexpected keys are those that `load_state_dict` reports."""
    state = filled()
    del state["features.0.bias"]
    state["features.9.bias"] = torch.zeros(4)
    report = refusal(Net(), saved(state, tmp_path))
    torchs = Net().load_state_dict(state, strict=False)
    assert list(report.missing) == torchs.missing_keys
    assert list(report.unexpected) == torchs.unexpected_keys


DAMAGE = st.dictionaries(
    st.sampled_from(list(Net().state_dict())), st.sampled_from(["drop", "rename", "reshape"])
)


@given(damage=DAMAGE, partial=st.booleans())
def test_the_report_names_exactly_the_damage(
    damage: dict[str, str], partial: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    state: State = {}
    for key, value in Net().state_dict().items():
        kind = damage.get(key)
        if kind == "rename":
            state[f"was.{key}.before"] = value
        elif kind == "reshape":
            state[key] = value.unsqueeze(-1)
        elif kind is None:
            state[key] = value
    state["kept.elsewhere"] = torch.zeros(0)  # a file of no tensors is another mistake
    path = saved(state, tmp_path_factory.mktemp("damage"))
    module = Net()
    report = load_weights(module, path, partial=True) if partial else refusal(module, path)
    lost = {key for key, kind in damage.items() if kind in ("drop", "rename")}
    assert set(report.missing) == {key for key in lost if not may_be_missing(key, state)}
    renamed = {f"was.{key}.before" for key, kind in damage.items() if kind == "rename"}
    assert set(report.unexpected) == {*renamed, "kept.elsewhere"}
    assert set(report.shapes) == {key for key, kind in damage.items() if kind == "reshape"}
    assert set(report.loaded) == set(Net().state_dict()) - set(damage)
    assert report.text()


def may_be_missing(key: str, state: State) -> bool:
    """The counter of a norm of which something else is there."""
    norm, _, name = key.rpartition(".")
    return name == "num_batches_tracked" and any(each.startswith(f"{norm}.") for each in state)


@given(st.sets(st.sampled_from(list(Net().state_dict()))))
def test_groups_hold_every_key_once(wanted: set[str]) -> None:
    universe = Net().state_dict()
    keys = tuple(key for key in universe if key in wanted)
    groups = grouped(keys, universe)
    assert [key for _, members in groups for key in members] == list(keys)
    for name, members in groups:
        if len(members) > 1:
            below = [key for key in universe if key.startswith(name.removesuffix("*"))]
            assert below == members


def test_renames_are_guessed_by_name_shape_and_order() -> None:
    one, two = (3, 3), (4,)
    assert guess_renames({"a.w": one, "b.v": two}, {"c.w": one, "d.v": two}) == {
        "a.w": "c.w",
        "b.v": "d.v",
    }
    assert guess_renames({"a.w": one}, {"a.w2": one, "z.w": two}) == {}
    # Out of order: by the ends of the names.
    theirs = {"body.conv1.w": one, "body.conv2.w": one}
    ours = {"conv2.w": one, "conv1.w": one, "conv3.w": one}
    assert guess_renames(theirs, ours) == {"body.conv1.w": "conv1.w", "body.conv2.w": "conv2.w"}
    patterns = rename_patterns({"body.conv1.w": "conv1.w", "body.conv2.w": "conv2.w"})
    assert patterns == [("body.*", "*", 2)]
    assert rename_patterns({"x.a.1.w": "x.a1.w", "y.a.1.w": "y.a1.w", "q.w": "r.w"}) == [
        ("*.a.1.*", "*.a1.*", 2),
        ("q.w", "r.w", 1),
    ]


def test_many_keys_are_compared_in_no_time() -> None:
    shapes = {f"layer{n}.weight": (3, 3) for n in range(20_000)}
    others = {f"block{n}.weight": (3, 3) for n in range(20_001)}
    assert guess_renames(shapes, others) == {}


# What cannot be read.


def test_a_missing_file(tmp_path: Path) -> None:
    saved(filled(), tmp_path, "resnet18.pth")
    assert "No such file" in message(tmp_path / "resnet81.pth")
    assert "did you mean `resnet18.pth`?" in message(tmp_path / "resnet81.pth")
    assert "cannot be read" in message(tmp_path)
    assert "No such file" in message(tmp_path / "nowhere" / "net.pth")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"x", b"archspec: 1\n", b"\x80\x02}", b"PK\x03\x04nothing", b"\x00" * 64,
        struct.pack("<Q", 4) + b"{xx}", struct.pack("<Q", 2**62) + b"{}", b"\x89HDF\r\n\x1a\n" * 9,
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_files_of_another_kind(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert str(tmp_path / name) in message(tmp_path / name)


@pytest.mark.parametrize(
    "held", [[1, 2], torch.zeros(3), 5, None, {"epoch": 3}, {1: torch.ones(1)}]
)
def test_files_that_hold_something_else(held: Any, tmp_path: Path) -> None:
    assert "state dict" in message(saved(held, tmp_path))


def test_one_value_that_is_no_tensor_is_named(tmp_path: Path) -> None:
    path = saved({**filled(), "note": "trained on a bus"}, tmp_path)
    assert message(path).endswith("holds no state dict: `note` is no tensor, but a str")


def test_a_file_that_holds_itself_is_refused(tmp_path: Path) -> None:
    held: dict[str, Any] = {}
    held["model"] = held
    torch.save(held, tmp_path / "file.pt")
    with pytest.raises(WeightsError, match="holds no state dict: its keys are model"):
        load_weights(nn.Linear(1, 1), tmp_path / "file.pt")


def test_a_nested_tensor_has_no_shape(tmp_path: Path) -> None:
    with warnings.catch_warnings(action="ignore"):  # a prototype, PyTorch says, once
        nested = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])
    torch.save({"weight": nested, "bias": torch.zeros(1), "a": torch.zeros(1)}, tmp_path / "n.pt")
    with pytest.raises(WeightsError, match="`weight` is no tensor, but a nested one"):
        load_weights(nn.Linear(1, 1), tmp_path / "n.pt")


def test_what_readers_say_without_words_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("hello world\n")  # unpickling says: 101
    assert message(tmp_path / "text.pth").endswith("or it is damaged")
    (tmp_path / "users.pth").write_text("root:x:0:0:root:/root:/bin/bash\n")  # the reader stumbles
    assert message(tmp_path / "users.pth").endswith("or it is damaged")


@pytest.mark.filterwarnings("error")
def test_reading_a_pickle_of_another_protocol_warns_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Call(), protocol=4))
    assert "plain.pth" in message(tmp_path / "plain.pth")


class Call:
    """What asks the system when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.getcwd, ()


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (mark,)

    with (tmp_path / "evil.pth").open("wb") as file:
        pickle.dump({"state_dict": Evil()}, file)
    stream = io.BytesIO()
    torch.save({"state_dict": {}, "hook": Evil()}, stream)
    (tmp_path / "evil2.pth").write_bytes(stream.getvalue())
    for name in ("evil.pth", "evil2.pth"):
        assert name in message(tmp_path / name)
    assert not mark.exists()
    torch.save({"state_dict": Call()}, tmp_path / "call.pth")
    assert ".getcwd), and reading that could run code" in message(tmp_path / "call.pth")
    torch.save(Net(), tmp_path / "module.pth")
    assert "holds more than tensors (tests.test_weights.Net)" in message(tmp_path / "module.pth")


@given(place=st.integers(0, 10**6), change=st.integers(1, 255))
def test_a_damaged_file_never_gives_a_traceback(
    place: int, change: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stream = io.BytesIO()
    torch.save(filled(), stream)
    content = bytearray(stream.getvalue())
    content[place % len(content)] ^= change
    path = tmp_path_factory.mktemp("damaged") / "net.pth"
    path.write_bytes(content if change % 2 else content[: place % len(content)])
    loads_or_says_why(path)


def test_loading_copies_and_keeps_no_tie_to_the_file(tmp_path: Path) -> None:
    with torch.device("meta"):
        module = Net()
    path = saved(filled(), tmp_path)
    load_weights(module, path)
    twin = copy.deepcopy(module)
    path.write_bytes(b"")
    assert all(
        torch.equal(a, b) for a, b in zip(module.parameters(), twin.parameters(), strict=True)
    )


def test_a_tensor_that_cannot_be_copied(tmp_path: Path) -> None:
    """It is found before anything is loaded."""
    weight = filled()["fc.weight"]
    kinds = {"sparse_coo": weight.to_sparse(), "no values": weight.to("meta")}
    for words, value in kinds.items():
        report = refusal(Net(), saved({**filled(), "fc.weight": value}, tmp_path))
        assert report.summary() == "of 16 keys 1 of another kind"
        assert f"fc.weight: {words} in the file, float32 in the module" in report.text()


def test_a_counter_may_be_written_as_a_number_of_another_kind(tmp_path: Path) -> None:
    halves = {key: value.half() for key, value in filled().items()}
    module = Net()
    assert load_weights(module, saved(halves, tmp_path)).ok
    assert equal(module, filled())
    halves["features.1.num_batches_tracked"] = torch.tensor(float("inf")).half()
    report = refusal(Net(), saved(halves, tmp_path))
    assert list(report.dtypes) == ["features.1.num_batches_tracked"]


def test_tied_weights_stay_one_where_they_become_real(tmp_path: Path) -> None:
    def tied() -> nn.Sequential:
        made = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
        made[1].weight = made[0].weight
        return made

    whole = tied()
    with torch.device("meta"):
        module = tied()
    load_weights(module, saved(whole.state_dict(), tmp_path))
    assert module[1].weight is module[0].weight
    assert equal(module, state_of(whole))


def test_a_module_without_weights_has_a_file_too(tmp_path: Path) -> None:
    assert load_weights(nn.ReLU(), saved(nn.ReLU().state_dict(), tmp_path)).ok
    assert refusal(Net(), saved({}, tmp_path)).summary() == "of 16 keys 16 missing"


def test_what_is_often_taken_for_a_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    assert "is a web page" in message(path)
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert "`git lfs pull`" in message(path)


def test_keys_are_shown_as_a_terminal_can_show_them(tmp_path: Path) -> None:
    odd = {"a\n\x1b[31m": torch.zeros(1), "b" * 10_000: torch.zeros(1)}
    with pytest.raises(WeightsError) as raised:
        load_weights(Net(), saved({**filled(), **odd}, tmp_path))
    _, *lines = str(raised.value).splitlines()
    assert lines == [f"  unexpected in the file: a\\n\\x1b[31m, {'b' * 99}…"]
