"""The command convert, and masks as files."""

import io
import json

import numpy as np
import pytest
from command_line import files, run
from PIL import Image

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


@pytest.mark.parametrize("form", ["response", "png", "npy", "coco", "label-studio"])
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


def test_names_have_one_ending(tmp_path, mask):
    for name in ("a.response.json", "b.json", "b.mask.png", ".mask.png"):
        form = "png" if name.endswith("png") else "response"
        (tmp_path / name).write_bytes(write_mask(mask, form))
    for to, names in (
        ("png", ["a.png", "b.png"]),
        ("npy", ["a.npy", "b.npy"]),
        ("coco", ["a.coco.json", "b.coco.json"]),
        ("response", ["a.response.json", "b.response.json"]),
    ):
        out = tmp_path / to
        sources = [tmp_path / "a.response.json", tmp_path / "b.mask.png"]
        done = run("convert", *sources, "-o", out, "--to", to)
        assert done.exit_code == 0, done.stderr
        assert files(out) == names
    out = tmp_path / "both"
    sources = [tmp_path / "b.json", tmp_path / "b.mask.png", tmp_path / ".mask.png"]
    assert run("convert", *sources, "-o", out, "--to", "png").exit_code == 0
    assert len(files(out)) == 3  # no two of a name


def test_nuscenes_is_named_where_cocos_reader_fails(tmp_path, mask):
    source, out = tmp_path / "a.json", tmp_path / "a.png"
    source.write_bytes(write_mask(mask, "nuscenes"))
    done = run("convert", source, "-o", out)
    assert done.exit_code == 2
    assert "--from nuscenes" in done.stderr
    assert run("convert", source, "-o", out, "--from", "nuscenes").exit_code == 0
    assert runmask.Mask.from_png(out.read_bytes()) == mask
    done = run("convert", source, "-o", out, "--from", "coco", "--overwrite")
    assert "--from nuscenes" not in done.stderr


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["png", "npy"])
def test_soft_masks_have_a_threshold(tmp_path, dtype, kind):
    soft = np.random.default_rng(3).integers(0, np.iinfo(dtype).max, SHAPE, dtype, endpoint=True)
    soft[::3] = 0
    source, out = tmp_path / f"soft.{kind}", tmp_path / "out.npy"
    if kind == "npy":
        np.save(source, soft)
    else:
        Image.fromarray(soft).save(source)
    for options, want in (
        ([], soft != 0),
        (["--threshold", 0], soft > 0),
        (["--threshold", 127], soft > 127),
        (["--threshold", 99.5], soft > 99.5),
    ):
        done = run("convert", source, "-o", out, "--overwrite", *options)
        assert done.exit_code == 0, done.stderr
        assert np.array_equal(np.load(out), want)


def test_what_has_no_levels_has_no_threshold(tmp_path, mask):
    palette = mask.to_png(((0, 0, 0), (9, 9, 9)))
    for name, data in (("a.json", write_mask(mask, "coco")), ("a.png", palette)):
        (tmp_path / name).write_bytes(data)
        done = run("convert", tmp_path / name, "-o", tmp_path / "out.npy", "--threshold", "1")
        assert done.exit_code == 2
        assert "levels" in done.stderr
    assert run("convert", tmp_path / "a.png", "-o", "x.npy", "--threshold", "nan").exit_code == 2
    for wrong in (True, "1", float("nan")):
        with pytest.raises(InputError, match="threshold"):
            runmask.Mask.from_png(mask.to_png(), threshold=wrong)
    with pytest.raises(InputError, match="labels and threshold"):
        runmask.Mask.from_png(mask.to_png(), threshold=0, labels=1)


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
