"""The face of the bridge. Arguments are checked above it; every long call releases the GIL."""

from typing import final

from typing_extensions import Buffer

@final
class Block(Buffer):
    """Memory of the core as a read-only, one-dimensional buffer of int32 or int64."""

@final
class Runs:
    """Canonical runs of one image: int32 below 2**31 pixels, else int64."""

    height: int
    width: int
    starts: Block
    lengths: Block
    def __len__(self) -> int: ...

def runs_from_pairs(
    starts: Buffer, lengths: Buffer, height: int, width: int, clip: bool, /
) -> tuple[Runs, tuple[bool, bool, bool, int, int, int, int]]: ...
def runs_from_pixels(pixels: Buffer, height: int, width: int, /) -> Runs: ...
def pixels_from_runs(
    runs: Runs, first: int, last: int, off: int, on: int, out: Buffer, /
) -> None: ...
def area(runs: Runs, /) -> int: ...
def bounding_box(runs: Runs, /) -> tuple[int, int, int, int]: ...
def overlay(
    runs: Runs,
    image: Buffer,
    out: Buffer,
    inside: tuple[int, int, int, int],
    outside: tuple[int, int, int, int],
    threads: int,
    /,
) -> None: ...
def kernels() -> str: ...
def available_kernels() -> tuple[str, ...]: ...
def use_kernels(name: str, /) -> None: ...
