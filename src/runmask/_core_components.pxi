# Connected components: the bridge to components.h.

cdef extern from "components.h" namespace "runmask" nogil:
    enum class Connectivity(int):
        four, eight
    cdef cppclass Components:
        Array[int32_t] labels
        Array[int64_t] areas, boxes
        Array[double] centroids
    cdef cppclass PartRuns:
        AnyArrays runs
        Array[int64_t] bounds
    Result c_components   "runmask::components"  (const AnyRuns&, int64_t, Connectivity, Components&)
    Result c_select       "runmask::select"      (const AnyRuns&, int64_t, const int32_t*, const uint8_t*, AnyArrays&)
    Result c_group        "runmask::group"       (const AnyRuns&, int64_t, const int32_t*, size_t, PartRuns&)
    void   c_paint_labels "runmask::paint_labels"(const AnyRuns&, int64_t, int64_t, const int32_t*, int32_t*)
    Result c_remove_small "runmask::remove_small"(const AnyRuns&, int64_t, Connectivity, int64_t, AnyArrays&)
    Result c_fill_holes   "runmask::fill_holes"  (const AnyRuns&, int64_t, int64_t, Connectivity, int64_t, AnyArrays&)


cdef Connectivity connectivity_of(int number) noexcept:
    return Connectivity.four if number == 4 else Connectivity.eight


cdef int check_pieces(Runs runs, Py_buffer* items) except -1:
    if items.itemsize != 4 or items.len != 4 * <Py_ssize_t>count_row_runs(runs):
        raise InputError("not one int32 for each piece")
    return 0


cdef int check_labels(Runs runs, Py_buffer* labels, Py_ssize_t parts) except -1:
    cdef const int32_t* label = <const int32_t*>labels.buf
    cdef Py_ssize_t i, count
    cdef cbool good = True
    check_pieces(runs, labels)
    count = labels.len // 4
    with nogil:
        for i in range(count):
            good = good and label[i] >= 0 and label[i] < parts
    if not good:
        raise InputError(f"labels must be 0 to {parts - 1}")
    return 0


def components(Runs runs not None, int connectivity):
    """Labels of the pieces (int32), and areas, boxes and centroids of the parts (8 bytes each)."""
    cdef Components out
    cdef AnyRuns any = runs.any()
    cdef Connectivity neighbours = connectivity_of(connectivity)
    cdef Result result
    with nogil:
        result = c_components(any, runs.width, neighbours, out)
    check(result)
    cdef size_t pieces = out.labels.size(), parts = out.areas.size()
    return (
        block(out.labels.release(), pieces, sizeof(int32_t)),
        block(out.areas.release(), parts, sizeof(int64_t)),
        block(out.boxes.release(), 4 * parts, sizeof(int64_t)),
        block(out.centroids.release(), 2 * parts, sizeof(double)),
    )


def select_parts(Runs runs not None, object labels, object keep):
    """The pieces whose label's byte in ``keep`` is not 0; labels are below the number of bytes."""
    cdef Py_buffer l, k
    cdef AnyRuns any = runs.any()
    cdef AnyArrays out
    cdef Result result
    out.wide = any.wide
    PyObject_GetBuffer(labels, &l, PyBUF_C_CONTIGUOUS)
    try:
        PyObject_GetBuffer(keep, &k, PyBUF_C_CONTIGUOUS)
        try:
            check_labels(runs, &l, k.len)
            with nogil:
                result = c_select(any, runs.width, <const int32_t*>l.buf, <const uint8_t*>k.buf, out)
        finally:
            PyBuffer_Release(&k)
    finally:
        PyBuffer_Release(&l)
    return made(result, out, runs.height, runs.width)


def group_parts(Runs runs not None, object labels, Py_ssize_t parts):
    """Runs in order of their part, and the first and last of each part in pairs of int64."""
    cdef Py_buffer l
    cdef AnyRuns any = runs.any()
    cdef PartRuns out
    cdef Result result
    out.runs.wide = any.wide
    PyObject_GetBuffer(labels, &l, PyBUF_C_CONTIGUOUS)
    try:
        check_labels(runs, &l, parts)
        with nogil:
            result = c_group(any, runs.width, <const int32_t*>l.buf, <size_t>parts, out)
    finally:
        PyBuffer_Release(&l)
    cdef Runs grouped = made(result, out.runs, runs.height, runs.width)
    return grouped, block(out.bounds.release(), 2 * <size_t>parts, sizeof(int64_t))


def part_of(Runs grouped not None, Py_ssize_t first, Py_ssize_t last):
    """Runs [first, last) as runs of their own."""
    if not 0 <= first <= last <= len(grouped):
        raise InputError(f"no runs {first} to {last} of {len(grouped)}")
    cdef size_t count = <size_t>(last - first)
    cdef size_t itemsize = <size_t>grouped.starts.strides[0]
    cdef Runs part = Runs.__new__(Runs)
    part.height = grouped.height
    part.width = grouped.width
    part.starts = copied(grouped.starts, <size_t>first, count, itemsize)
    part.lengths = copied(grouped.lengths, <size_t>first, count, itemsize)
    return part


cdef Block copied(Block source, size_t first, size_t count, size_t itemsize):
    cdef void* data = NULL
    if count != 0:
        data = malloc(count * itemsize)
        if data == NULL:
            raise MemoryError
        memcpy(data, <const char*>source.data + first * itemsize, count * itemsize)
    return block(data, count, itemsize)


def paint_labels(Runs runs not None, object labels, object out):
    """Writes 0, and 1 + its label for each pixel of the mask, to a contiguous int32 image."""
    cdef Py_buffer l, o
    cdef AnyRuns any = runs.any()
    PyObject_GetBuffer(labels, &l, PyBUF_C_CONTIGUOUS)
    try:
        PyObject_GetBuffer(out, &o, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
        try:
            check_pieces(runs, &l)
            if o.itemsize != 4 or o.len != 4 * runs.height * runs.width:
                raise InputError("not one int32 for each pixel")
            with nogil:
                c_paint_labels(any, runs.height, runs.width, <const int32_t*>l.buf, <int32_t*>o.buf)
        finally:
            PyBuffer_Release(&o)
    finally:
        PyBuffer_Release(&l)


def remove_small(Runs runs not None, int connectivity, int64_t min_area):
    """The runs without parts of fewer pixels."""
    cdef AnyRuns any = runs.any()
    cdef AnyArrays out
    cdef Connectivity neighbours = connectivity_of(connectivity)
    cdef Result result
    out.wide = any.wide
    with nogil:
        result = c_remove_small(any, runs.width, neighbours, min_area, out)
    return made(result, out, runs.height, runs.width)


def fill_holes(Runs runs not None, int connectivity, int64_t max_area):
    """The runs and their holes of at most so many pixels."""
    cdef AnyRuns any = runs.any()
    cdef AnyArrays out
    cdef Connectivity neighbours = connectivity_of(connectivity)
    cdef Result result
    out.wide = any.wide
    with nogil:
        result = c_fill_holes(any, runs.height, runs.width, neighbours, max_area, out)
    return made(result, out, runs.height, runs.width)
