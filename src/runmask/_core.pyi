# The face of the bridge. Arguments are checked above it; every long call releases the GIL.

from typing import Any, TypeAlias, final

from numpy.typing import NDArray
from typing_extensions import Buffer

_Memory: TypeAlias = Buffer | NDArray[Any]

# Memory of the core as a read-only, one-dimensional buffer of int32 or int64.
@final
class Block(Buffer):
    def __len__(self) -> int: ...

@final
class Runs:
    # Canonical runs of one image: int32 below 2**31 pixels, else int64.

    height: int
    width: int
    starts: Block
    lengths: Block
    def __len__(self) -> int: ...

def runs_from_pairs(
    starts: _Memory, lengths: _Memory, height: int, width: int, clip: bool, /
) -> tuple[Runs, tuple[bool, bool, bool, int, int, int, int]]: ...
def runs_from_pixels(pixels: _Memory, height: int, width: int, /) -> Runs: ...
def pixels_from_runs(
    runs: Runs, first: int, last: int, off: int, on: int, out: _Memory, /
) -> None: ...
def area(runs: Runs, /) -> int: ...
def bounding_box(runs: Runs, /) -> tuple[int, int, int, int]: ...
def overlay(
    runs: Runs,
    image: _Memory,
    out: _Memory,
    inside: tuple[int, int, int, int],
    outside: tuple[int, int, int, int],
    threads: int,
    /,
) -> None: ...
def read_answer(text: _Memory, /) -> tuple[tuple[Block, int, int], tuple[Block, int, int]]: ...
def runs_from_blocks(starts: Block, lengths: Block, height: int, width: int, /) -> Runs | None: ...
def kernels() -> str: ...
def available_kernels() -> tuple[str, ...]: ...
def use_kernels(name: str, /) -> None: ...
