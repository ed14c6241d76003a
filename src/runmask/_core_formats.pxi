from cpython.bytes cimport PyBytes_FromStringAndSize

cdef extern from "coco.h" namespace "runmask" nogil:
    struct SizedRuns:
        AnyRuns runs
        int64_t height, width
    Result c_read_counts  "runmask::read_counts"      (const int64_t*, size_t, int64_t, cbool, AnyArrays&)
    Result c_write_counts "runmask::write_counts"     (const AnyRuns&, int64_t, Array[int64_t]&)
    Result c_read_coco    "runmask::read_coco_string" (const char*, size_t, int64_t, AnyArrays&)
    Result c_write_coco   "runmask::write_coco_string"(const AnyRuns&, int64_t, Array[char]&)
    Result c_coco_ious    "runmask::coco_ious"        (const SizedRuns*, size_t, const SizedRuns*, size_t, const uint8_t*, double*)

cdef extern from "coco_polygon.h" namespace "runmask" nogil:
    Result c_draw_coco_polygon "runmask::draw_coco_polygon"(const double*, size_t, int64_t, int64_t, AnyArrays&)

cdef extern from "brush.h" namespace "runmask" nogil:
    Result c_read_brush  "runmask::read_brush" (const uint8_t*, size_t, int64_t, unsigned int, AnyArrays&)
    Result c_write_brush "runmask::write_brush"(const AnyRuns&, int64_t, Array[uint8_t]&)

cdef extern from "numerals.h" namespace "runmask" nogil:
    Result c_read_numerals  "runmask::read_numerals" (const char*, size_t, Array[int64_t]&)
    Result c_write_numerals "runmask::write_numerals"(const int64_t*, size_t, Array[char]&)

cdef extern from "png.h" namespace "runmask" nogil:
    Result c_undo_filters "runmask::undo_filters"(uint8_t*, size_t, size_t, size_t)


cdef int get_numbers(object numbers, Py_buffer* view) except -1:
    PyObject_GetBuffer(numbers, view, PyBUF_C_CONTIGUOUS)
    if view.itemsize != sizeof(int64_t):
        PyBuffer_Release(view)
        raise InputError("numbers must be of int64")
    return 0


def runs_from_counts(object counts, Py_ssize_t height, Py_ssize_t width, bint whole):
    """Runs of a contiguous buffer of int64: clear, set, clear ... pixels, row after row."""
    cdef Py_buffer c
    cdef AnyArrays out
    cdef Result result
    out.wide = needs_wide(height, width)
    get_numbers(counts, &c)
    try:
        with nogil:
            result = c_read_counts(<const int64_t*>c.buf, <size_t>(c.len // 8), <int64_t>height * width, whole, out)
    finally:
        PyBuffer_Release(&c)
    check(result)
    return made(result, out, height, width)


def counts_from_runs(Runs runs not None):
    """A block of int64."""
    cdef AnyRuns any = runs.any()
    cdef Array[int64_t] out
    cdef Result result
    cdef int64_t total = <int64_t>runs.height * runs.width
    with nogil:
        result = c_write_counts(any, total, out)
    check(result)
    cdef size_t count = out.size()
    return block(out.release(), count, sizeof(int64_t))


def runs_from_coco(const uint8_t[::1] text not None, Py_ssize_t height, Py_ssize_t width):
    """Runs of a compressed COCO string, its pixels row after row."""
    cdef AnyArrays out
    cdef Result result
    cdef const char* data = <const char*>&text[0] if len(text) else NULL
    cdef size_t size = <size_t>len(text)
    out.wide = needs_wide(height, width)
    with nogil:
        result = c_read_coco(data, size, <int64_t>height * width, out)
    check(result)
    return made(result, out, height, width)


cdef bytes quick_counts(object rle, Py_ssize_t* height, Py_ssize_t* width):
    """The counts of a dict with a size as a list of two int and counts as bytes; None of all else."""
    if type(rle) is not dict:
        return None
    sides = (<dict>rle).get("size")
    counts = (<dict>rle).get("counts")
    if type(sides) is not list or len(sides) != 2 or type(counts) is not bytes:
        return None
    if type(sides[0]) is not int or type(sides[1]) is not int:
        return None
    if not (0 < sides[0] <= 0x7FFFFFFF and 0 < sides[1] <= 0x7FFFFFFF):
        return None
    height[0] = sides[0]
    width[0] = sides[1]
    return counts


def runs_from_rles(list rles not None):
    """Of each dict with a size as a list of two int and counts as bytes; None for all else."""
    cdef Py_ssize_t height, width
    cdef bytes counts
    made_runs = []
    for rle in rles:
        counts = quick_counts(rle, &height, &width)
        made_runs.append(None if counts is None else quick_runs(counts, <size_t>len(counts), width, height))
    return made_runs


def measures_from_rles(list rles not None, double[:, ::1] boxes, uint32_t[::1] areas):
    """x, y, width, height of each box, or each area, or both, of what runs_from_rles takes.

    Returns the places of all others, and of those of 2**31 pixels or more.
    """
    cdef AnyArrays out
    cdef Py_ssize_t height, width, at
    cdef bytes counts
    cdef const char* text
    cdef size_t size
    cdef Result result
    cdef Box box
    if boxes is not None and (boxes.shape[0] != len(rles) or boxes.shape[1] != 4):
        raise InputError("the boxes do not fit the masks")
    if areas is not None and len(areas) != len(rles):
        raise InputError("the areas do not fit the masks")
    others = []
    for at in range(len(rles)):
        counts = quick_counts(rles[at], &height, &width)
        if counts is None or needs_wide(height, width):
            others.append(at)
            continue
        text = counts
        size = <size_t>len(counts)
        with nogil:
            result = c_read_coco(text, size, <int64_t>height * width, out)
        if result.status != Status.ok:
            others.append(at)
            continue
        if areas is not None:
            areas[at] = <uint32_t>c_area(out.view())
        if boxes is not None:
            box = c_box(out.view(), height)  # turned over, as the runs are
            boxes[at, 0] = <double>box.y0
            boxes[at, 1] = <double>box.x0
            boxes[at, 2] = <double>(box.y1 - box.y0)
            boxes[at, 3] = <double>(box.x1 - box.x0)
    return others


cdef Runs quick_runs(const char* text, size_t size, Py_ssize_t height, Py_ssize_t width):
    """As runs_from_coco, and None for what cannot be read."""
    cdef AnyArrays out
    cdef Result result
    out.wide = needs_wide(height, width)
    with nogil:
        result = c_read_coco(text, size, <int64_t>height * width, out)
    if result.status != Status.ok:
        return None
    return made(result, out, height, width)


def coco_from_runs(Runs runs not None):
    """The compressed COCO string as bytes."""
    cdef AnyRuns any = runs.any()
    cdef Array[char] out
    cdef Result result
    cdef int64_t total = <int64_t>runs.height * runs.width
    with nogil:
        result = c_write_coco(any, total, out)
    check(result)
    return PyBytes_FromStringAndSize(out.data(), <Py_ssize_t>out.size())


cdef int gather_sized(tuple masks, Array[SizedRuns]& out) except -1:
    """The runs and sizes of a tuple, which keeps them alive."""
    cdef Runs runs
    cdef SizedRuns sized
    if not out.reserve_more(len(masks)):
        raise MemoryError
    for runs in masks:
        sized.runs = runs.any()
        sized.height = runs.height
        sized.width = runs.width
        out.append(sized)
    return 0


def coco_ious(tuple masks not None, tuple others not None, const uint8_t[::1] crowd not None, double[:, ::1] out not None):
    """COCO's ratios of each of the masks with each of the others, of which none are crowds or some."""
    cdef Array[SizedRuns] first, second
    cdef Result result
    if len(crowd) != len(others) or out.shape[0] != len(masks) or out.shape[1] != len(others):
        raise InputError("the arrays do not fit the masks")
    if not masks or not others:
        return
    gather_sized(masks, first)
    gather_sized(others, second)
    with nogil:
        result = c_coco_ious(first.data(), first.size(), second.data(), second.size(), &crowd[0], &out[0, 0])
    check(result)


def runs_from_coco_polygon(const double[::1] points not None, Py_ssize_t height, Py_ssize_t width):
    """The transposed runs of a polygon x, y, x, y ..."""
    cdef AnyArrays out
    cdef Result result
    cdef const double* data = &points[0] if len(points) else NULL
    cdef size_t count = <size_t>(len(points) // 2)
    out.wide = needs_wide(height, width)
    with nogil:
        result = c_draw_coco_polygon(data, count, height, width, out)
    check(result)
    return made(result, out, width, height)


def runs_from_brush(const uint8_t[::1] data not None, Py_ssize_t height, Py_ssize_t width, unsigned int threshold):
    """Runs of the pixels whose alpha in a Label Studio brush is above the threshold."""
    cdef AnyArrays out
    cdef Result result
    cdef const uint8_t* octets = &data[0] if len(data) else NULL
    cdef size_t size = <size_t>len(data)
    out.wide = needs_wide(height, width)
    with nogil:
        result = c_read_brush(octets, size, <int64_t>height * width, threshold, out)
    check(result)
    return made(result, out, height, width)


def brush_from_runs(Runs runs not None):
    """The Label Studio brush as bytes; of fewer than 2**30 pixels."""
    cdef AnyRuns any = runs.any()
    cdef Array[uint8_t] out
    cdef Result result
    cdef int64_t total = <int64_t>runs.height * runs.width
    with nogil:
        result = c_write_brush(any, total, out)
    check(result)
    return PyBytes_FromStringAndSize(<char*>out.data(), <Py_ssize_t>out.size())


def numbers_from_text(const uint8_t[::1] text not None):
    """A block of int64 of the numbers in a text."""
    cdef Array[int64_t] out
    cdef Result result
    cdef const char* data = <const char*>&text[0] if len(text) else NULL
    cdef size_t size = <size_t>len(text)
    with nogil:
        result = c_read_numerals(data, size, out)
    check(result)
    cdef size_t count = out.size()
    return block(out.release(), count, sizeof(int64_t))


def text_from_numbers(object numbers):
    """The numbers of a contiguous buffer of int64 as bytes, a space between."""
    cdef Py_buffer n
    cdef Array[char] out
    cdef Result result
    get_numbers(numbers, &n)
    try:
        with nogil:
            result = c_write_numerals(<const int64_t*>n.buf, <size_t>(n.len // 8), out)
    finally:
        PyBuffer_Release(&n)
    check(result)
    return PyBytes_FromStringAndSize(out.data(), <Py_ssize_t>out.size())


def undo_filters(uint8_t[::1] data not None, size_t rows, size_t row_bytes, size_t pixel_bytes):
    """Undoes PNG's row filters in place; each row is a filter byte and row_bytes bytes."""
    cdef Result result
    if not 1 <= pixel_bytes <= 4:
        raise InputError(f"pixels of {pixel_bytes} bytes: not 1 to 4")
    if <size_t>len(data) != rows * (row_bytes + 1):
        raise InputError(f"{len(data)} bytes are not {rows} rows of {row_bytes} and a filter")
    cdef uint8_t* octets = &data[0] if len(data) else NULL
    with nogil:
        result = c_undo_filters(octets, rows, row_bytes, pixel_bytes)
    check(result)
