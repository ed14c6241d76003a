from cpython.buffer cimport PyBUF_SIMPLE


cdef extern from "wire.h" namespace "runmask" nogil:
    cdef cppclass Integers:
        size_t first
        size_t last
        size_t count()
        size_t itemsize()
        void* release()
    cdef cppclass AnswerRuns:
        Integers starts
        Integers lengths
    Result c_read_answer "runmask::read_answer"(const uint8_t*, size_t, AnswerRuns&)

cdef extern from "any.h" namespace "runmask" nogil:
    cbool c_is_canonical "runmask::is_canonical"(const AnyRuns&, int64_t)


cdef tuple made_integers(Integers& integers):
    cdef size_t count = integers.count()
    cdef size_t itemsize = integers.itemsize()
    return block(integers.release(), count, itemsize), integers.first, integers.last


def read_answer(object text):
    """For result.starts and result.lengths in the bytes of JSON: what was read, and from where to where."""
    cdef Py_buffer t
    cdef AnswerRuns out
    cdef Result result
    PyObject_GetBuffer(text, &t, PyBUF_SIMPLE)
    try:
        with nogil:
            result = c_read_answer(<const uint8_t*>t.buf, <size_t>t.len, out)
    finally:
        PyBuffer_Release(&t)
    check(result)
    return made_integers(out.starts), made_integers(out.lengths)


def runs_from_blocks(Block starts not None, Block lengths not None, Py_ssize_t height, Py_ssize_t width):
    """The runs as they are, nothing copied; None unless they are canonical and of the image's own width."""
    cdef Runs runs = Runs.__new__(Runs)
    cdef AnyRuns any
    cdef bint good
    runs.height = height
    runs.width = width
    runs.starts = starts
    runs.lengths = lengths
    any = runs.any()
    if (
        starts.shape[0] != lengths.shape[0] or starts.strides[0] != lengths.strides[0]
        or any.wide != needs_wide(height, width)
    ):
        return None
    with nogil:
        good = c_is_canonical(any, <int64_t>height * width)
    return runs if good else None
