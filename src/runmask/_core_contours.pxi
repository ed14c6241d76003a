# Contours: the bridge to contours.h.

cdef extern from "contours.h" namespace "runmask" nogil:
    enum class Outline(int):
        edge, center
    cdef cppclass Contours:
        Array[int32_t] points, parents
        Array[int64_t] offsets, twice_areas
        Array[uint8_t] holes
    Result c_contours "runmask::contours"(const AnyRuns&, int64_t, Outline, Connectivity, int64_t, size_t, Contours&)


def contours(Runs runs not None, bint center, int connectivity, int64_t max_corners, size_t strips):
    """Points (x, y, x, y ...), offsets, parents, a byte a ring that is 1 for holes, twice the areas.

    Strips are of rows, at least 1, and one a thread."""
    cdef Contours out
    cdef AnyRuns any = runs.any()
    cdef Outline outline = Outline.center if center else Outline.edge
    cdef Connectivity neighbours = connectivity_of(connectivity)
    cdef Result result
    if runs.width >= 2**31 - 1:  # the core counts half columns
        raise LimitError(f"width {runs.width}: contours of at most 2147483646 columns", code="side")
    with nogil:
        result = c_contours(any, runs.width, outline, neighbours, max_corners, strips, out)
    if result.status == Status.too_many_corners:
        most = min(max_corners, 2**31 - 2)  # what the core numbers
        raise LimitError(f"contours of more than {most} corners", code="max_corners")
    check(result)
    cdef size_t rings = out.parents.size()
    cdef size_t numbers = out.points.size()
    return (
        block(out.points.release(), numbers, sizeof(int32_t)),
        block(out.offsets.release(), rings + 1, sizeof(int64_t)),
        block(out.parents.release(), rings, sizeof(int32_t)),
        (<const char*>out.holes.data())[:rings],
        block(out.twice_areas.release(), rings, sizeof(int64_t)),
    )
