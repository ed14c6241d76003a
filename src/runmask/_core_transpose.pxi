cdef extern from "transpose.h" namespace "runmask" nogil:
    enum class TransposeRoute(int):
        measured, runs, bits
    Result c_transpose "runmask::transpose"(const AnyRuns&, int64_t, int64_t, AnyArrays&, TransposeRoute)


def transposed(Runs runs not None, int route):
    """Rows become columns. The route is 0 as measured, 1 on the runs, 2 in packed bits."""
    cdef AnyRuns any = runs.any()
    cdef AnyArrays out
    cdef Result result
    cdef int64_t height = runs.height, width = runs.width
    out.wide = any.wide
    with nogil:
        result = c_transpose(any, height, width, out, <TransposeRoute>route)
    return made(result, out, runs.width, runs.height)
