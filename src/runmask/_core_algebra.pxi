cdef extern from "algebra.h" namespace "runmask" nogil:
    enum class Operation(unsigned int):
        both, either, first_only, one_of_both
    Result   c_combine  "runmask::combine" (const AnyRuns&, const AnyRuns&, Operation, int64_t, AnyArrays&)
    Result   c_complement "runmask::complement"(const AnyRuns&, int64_t, AnyArrays&)
    Result   c_at_least "runmask::at_least"(const AnyRuns*, size_t, size_t, int64_t, AnyArrays&)
    uint64_t c_overlap  "runmask::overlap" (const AnyRuns&, const AnyRuns&, int64_t)
    cbool    c_overlaps "runmask::overlaps"(const AnyRuns*, size_t, const AnyRuns*, size_t, int64_t, int, uint64_t*)


cdef Runs combined(Runs a, Runs b, Operation operation):
    cdef AnyRuns first = a.any(), second = b.any()
    cdef AnyArrays out
    cdef Result result
    if a.height != b.height or a.width != b.width:
        raise InputError("the masks differ in shape")
    out.wide = first.wide
    with nogil:
        result = c_combine(first, second, operation, <int64_t>a.height * a.width, out)
    return made(result, out, a.height, a.width)


def intersection(Runs a not None, Runs b not None):
    return combined(a, b, Operation.both)


def union(Runs a not None, Runs b not None):
    return combined(a, b, Operation.either)


def difference(Runs a not None, Runs b not None):
    return combined(a, b, Operation.first_only)


def symmetric_difference(Runs a not None, Runs b not None):
    return combined(a, b, Operation.one_of_both)


def complement(Runs a not None):
    cdef AnyRuns runs = a.any()
    cdef AnyArrays out
    cdef Result result
    out.wide = runs.wide
    with nogil:
        result = c_complement(runs, <int64_t>a.height * a.width, out)
    return made(result, out, a.height, a.width)


cdef int gather(object masks, Array[AnyRuns]& out) except -1:
    """The runs of a list; the list must stay as it is while they are used."""
    cdef Runs runs, first
    if len(masks) == 0 or None in masks:
        raise InputError("not one mask or more")
    first = masks[0]
    if not out.reserve_more(len(masks)):
        raise MemoryError
    for runs in masks:
        if runs.height != first.height or runs.width != first.width:
            raise InputError("the masks differ in shape")
        out.append(runs.any())
    return 0


def at_least(tuple masks not None, size_t least):
    """Pixels set in at least so many of the masks, of which there is one or more."""
    cdef Array[AnyRuns] all
    cdef AnyArrays out
    cdef Result result
    cdef Runs first
    gather(masks, all)
    first = masks[0]
    out.wide = first.any().wide
    with nogil:
        result = c_at_least(all.data(), all.size(), least, <int64_t>first.height * first.width, out)
    return made(result, out, first.height, first.width)


def overlap(Runs a not None, Runs b not None, int64_t shift):
    """The number of pixels p of a for which p + shift is in b."""
    cdef AnyRuns first = a.any(), second = b.any()
    cdef uint64_t pixels
    with nogil:
        pixels = c_overlap(first, second, shift)
    return pixels


def overlaps(tuple a not None, tuple b not None, int threads, object out):
    """overlap() of each with each into a contiguous buffer of uint64, row after row."""
    cdef Array[AnyRuns] rows, columns
    cdef Py_buffer o
    cdef Runs first
    cdef cbool done
    gather(a, rows)
    gather(b, columns)
    first = a[0]
    PyObject_GetBuffer(out, &o, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
    try:
        if o.len != <Py_ssize_t>(len(a) * len(b) * sizeof(uint64_t)):
            raise InputError(f"{o.len} bytes cannot take {len(a)} x {len(b)} numbers")
        with nogil:
            done = c_overlaps(rows.data(), rows.size(), columns.data(), columns.size(), first.width,
                              threads, <uint64_t*>o.buf)
    finally:
        PyBuffer_Release(&o)
    if not done:
        raise MemoryError
