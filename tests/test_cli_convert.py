"""The command convert, and masks as files."""

import io
import json

import numpy as np
import pytest
from command_line import run

import runmask
from runmask.cli.convert import _FORMS
from runmask.errors import InputError
from runmask.mask.files import FORMS, Layout, form_of, read_mask, write_mask

SHAPE = (37, 53)
LAYOUT = Layout(SHAPE, "columns", 1)


@pytest.fixture
def mask():
    return runmask.Mask.from_array(np.random.default_rng(5).random(SHAPE) < 0.3)


def test_the_command_knows_every_form():
    assert tuple(FORMS) == _FORMS


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_mask_back(mask, form):
    assert read_mask(write_mask(mask, form, LAYOUT), form, LAYOUT) == mask


@pytest.mark.parametrize("form", ["response", "png", "npy", "coco"])
def test_forms_show_themselves(mask, form):
    data = write_mask(mask, form)
    assert form_of(data) == form
    assert read_mask(data) == mask


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "shows no form of a mask"),
        (b"1 3 9 2", "shows no form of a mask, name one of response, png"),
        (b"\x93NUMPY\x01", "no array in NumPy's format"),
        (b'{"size": [2, 2], "counts": "13"} x', "shows no form"),
        (b"{}", "result is missing"),
    ],
)
def test_other_bytes_are_refused(data, text):
    with pytest.raises(InputError, match=text):
        read_mask(data)


def npy_file(shape: str, data: bytes = b"", descr: str = "'|u1'", version: int = 1) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    size = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (npy_file("(100000, 100000)", b"abc"), "takes 10000000000 bytes, not 3"),
        (npy_file(f"({2**63 - 1}, {2**63 - 1})", b"a"), "not 1$"),  # in 64 bits it takes 1
        (npy_file(f"({10**22}, 2)"), f"takes {2 * 10**22} bytes, not 0"),
        (npy_file("(-2, -2)", bytes(9)), "negative dimensions"),
        (npy_file("(True, 2)", bytes(9)), "no array in NumPy's format: "),
        (npy_file("(2, 2)", bytes(9), "'''"), "no array in NumPy's format: "),
        (npy_file("(2, 2)", bytes(99), "'|O'"), "Python objects"),
        (npy_file("(2, 2)", bytes(9), version=3), r"version 3\.0: not 1\.0 or 2\.0"),
        (npy_file("(2, 2)", bytes(9), "'|V1'"), "not bool or numbers"),
        (npy_file("(4,)", bytes(4)), "not 2-D"),
        (b"\x93NUMPY\1\0\1\0{", "no array in NumPy's format: "),
    ],
)
def test_bad_numpy_files(data, text):
    """Before memory is taken for what a header only claims."""
    with pytest.raises(InputError, match=text) as caught:
        read_mask(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("version", [1, 2])
def test_numpy_files_of_either_version_and_any_offset(mask, version):
    data = mask.to_array().tobytes()
    assert read_mask(npy_file(str(mask.shape), data, version=version)) == mask
    data = mask.to_array(dtype=np.float64).astype(">f8").tobytes()
    assert read_mask(npy_file(str(mask.shape), data, "'>f8'", version)) == mask


def test_numpy_files_column_by_column(mask):
    file = io.BytesIO()
    np.save(file, np.asfortranarray(mask.to_array()))
    assert read_mask(file.getvalue()) == mask


@pytest.mark.parametrize("shape", ["3x", "-3x4", "3x4x5", "\uff13x4", "x".join(["9" * 5000] * 2)])
def test_what_is_no_shape(tmp_path, shape):
    (tmp_path / "mask.txt").write_text("1 1")
    options = ["--from", "kaggle", "--shape", shape, "--order", "rows", "--base", "1"]
    done = run("convert", tmp_path / "mask.txt", "-o", tmp_path / "mask.png", *options)
    assert done.exit_code == 2
    assert "is no HEIGHTxWIDTH" in done.stderr


@pytest.mark.parametrize("form", ["kaggle", "cvat", "open-images"])
def test_forms_without_a_size_need_one(mask, form):
    data = write_mask(mask, form, LAYOUT)
    with pytest.raises(InputError, match=f"{form} does not say its image's size"):
        read_mask(data, form)


def test_kaggle_needs_its_numbering(mask):
    with pytest.raises(InputError, match="order and base"):
        write_mask(mask, "kaggle", Layout(SHAPE))


def test_label_studio_without_its_size(mask):
    data = json.dumps(mask.to_label_studio()).encode()
    assert read_mask(data, "label-studio", LAYOUT) == mask
    with pytest.raises(InputError, match=r"value\.rle"):
        read_mask(b'{"original_width": 3}', "label-studio")
    with pytest.raises(InputError):
        read_mask(json.dumps({"value": {"rle": [0, 1]}}).encode(), "label-studio")


def test_one_file(tmp_path, mask):
    source, out = tmp_path / "mask.png", tmp_path / "mask.json"
    source.write_bytes(mask.to_png())
    done = run("convert", source, "-o", out, "--to", "coco")
    assert done.exit_code == 0, done.stderr
    assert json.loads(out.read_text()) == mask.to_coco()
    assert done.stdout == f"{out}: 53 x 37, {len(mask)} runs, {mask.area} px\n"
    again = run("convert", source, "-o", out, "--to", "coco")
    assert again.exit_code == 2
    assert "exists" in again.stderr


def test_the_ending_names_the_form(tmp_path, mask):
    source, out = tmp_path / "mask.json", tmp_path / "mask.npy"
    source.write_bytes(write_mask(mask, "coco"))
    assert run("convert", source, "-o", out).exit_code == 0
    assert np.array_equal(np.load(out), mask.to_array(dtype=bool))
    assert run("convert", source, "-o", tmp_path / "mask.rle").exit_code == 2


def test_standard_output(tmp_path, mask):
    source = tmp_path / "mask.png"
    source.write_bytes(mask.to_png())
    options = ["--to", "kaggle", "--order", "rows", "--base", "1"]
    done = run("convert", source, "-o", "-", *options)
    assert done.stdout.strip() == mask.to_kaggle(order="rows", base=1)


def test_several_go_to_a_folder(tmp_path, mask):
    sources = [tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.png"]
    for source in sources[:2]:
        source.write_bytes(mask.to_png())
    sources[2].write_bytes(b"\x89PNG\r\n\x1a\n broken")
    done = run("convert", *sources, "-o", tmp_path / "out", "--to", "response")
    assert done.exit_code == 1
    assert "c.png" in done.stderr
    for name in ("a.response.json", "b.response.json"):
        assert runmask.Mask.from_response((tmp_path / "out" / name).read_bytes()) == mask


def test_several_do_not_go_to_a_file(tmp_path, mask):
    sources = [tmp_path / "a.png", tmp_path / "b.png"]
    for source in sources:
        source.write_bytes(mask.to_png())
    assert run("convert", *sources, "-o", tmp_path / "out.npy").exit_code == 2
    assert run("convert", *sources, "-o", "-", "--to", "coco").exit_code == 2
    assert not (tmp_path / "out.npy").exists()


def test_an_input_is_no_output(tmp_path, mask):
    source = tmp_path / "mask.npy"
    source.write_bytes(write_mask(mask, "npy"))
    assert run("convert", source, "-o", source, "--overwrite").exit_code == 2
    assert source.read_bytes() == write_mask(mask, "npy")


def test_shape_of_the_command(tmp_path, mask):
    source = tmp_path / "mask.txt"
    source.write_bytes(write_mask(mask, "kaggle", LAYOUT))
    options = ["--from", "kaggle", "--order", "columns", "--base", "1"]
    out = tmp_path / "mask.png"
    assert run("convert", source, "-o", out, *options).exit_code == 2
    assert run("convert", source, "-o", out, *options, "--shape", "37by53").exit_code == 2
    assert run("convert", source, "-o", out, *options, "--shape", "37x53").exit_code == 0
    assert runmask.Mask.from_png(out.read_bytes()) == mask
