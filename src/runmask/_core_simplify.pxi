# Rings of fewer points: the bridge to simplify.h. Follows _core_rings.pxi.

cdef extern from "simplify.h" namespace "runmask" nogil:
    enum class Simplification(int):
        douglas_peucker, visvalingam
    Result c_simplify "runmask::simplify"(const FlatRings&, double, Simplification, Array[int32_t]&, Array[int64_t]&)


def simplify_rings(const int32_t[:, ::1] points not None, const int64_t[::1] offsets not None, double tolerance, bint by_area):
    """Points and offsets of as many rings. The tolerance is finite and not below 0."""
    cdef FlatRings rings = rings_of(points, offsets)
    cdef Simplification method = Simplification.visvalingam if by_area else Simplification.douglas_peucker
    cdef Array[int32_t] kept_points
    cdef Array[int64_t] kept_offsets
    cdef Result result
    with nogil:
        result = c_simplify(rings, tolerance, method, kept_points, kept_offsets)
    check_rings(result)
    return blocks_of(kept_points, kept_offsets)
