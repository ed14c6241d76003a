"""Commands on several files: which output is whose, a bar, and an end for all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from .. import exits, terminal
from ..errors import InputError
from .answers import shown


@dataclass(frozen=True)
class Task:
    """One output, and the files that it is made of; ``image`` is the answer's if there is none."""

    image: Path
    answer: Path
    output: Path


def pairs_of(arguments: Sequence[Path], answers: Path | None) -> list[tuple[Path, Path]]:
    """Images with their answers: by turns in the arguments, or by name in a folder."""
    from ..scan import images_in

    if answers is not None:
        photos = images_in(arguments)
        return list(zip(photos, _answers_in(answers, photos), strict=True))
    for path in arguments:
        if path.is_dir():
            raise click.UsageError(f"'{path}' is a folder: --answers FOLDER says where answers are")
    if len(arguments) % 2:
        raise click.UsageError(
            f"an odd number of files, {len(arguments)}: IMAGE RESPONSE.json go by turns; or give "
            "--answers FOLDER"
        )
    return list(zip(arguments[::2], arguments[1::2], strict=True))


def bare(path: Path) -> Path:
    """The path without the first half of a double ending of ours: a photo's outputs have its name.

    NAME.response.json becomes NAME.json, NAME.mask.png NAME.png.
    """
    for half in (".response", ".mask"):
        if path.stem.endswith(half) and path.stem != half:
            return path.with_name(path.stem.removesuffix(half) + path.suffix)
    return path


def _answers_in(folder: Path, photos: Sequence[Path]) -> list[Path]:
    """NAME.response.json, as detect writes it, or NAME.json; the one that is there."""
    from ..output import distinct_names

    found = []
    for photo, name in zip(photos, distinct_names(photos), strict=True):
        names = list(dict.fromkeys((f"{name}.response.json", f"{photo.stem}.json")))
        present = [folder / name for name in names if (folder / name).is_file()]
        if len(present) != 1:
            which = "neither" if not present else "both"
            raise InputError(f"{photo}: {which} of {' and '.join(names)} in the folder {folder}")
        found += present
    return found


def tasks_of(
    pairs: Sequence[tuple[Path, Path]], output: Path, suffix: str, fmt: str | None, *, many: bool
) -> list[Task]:
    """What to make: ``output``, or NAME.SUFFIX.* in that folder.

    No output is an input, but for a single image, which one may choose to draw on.
    """
    from .. import images
    from ..output import distinct_names, make_folder
    from ..scan import overlay_ending

    def ending(image: Path) -> str:
        return overlay_ending(image, images.format_of(image) or "", fmt)

    for image, answer in pairs:
        if not images.format_of(image) and images.format_of(answer):
            raise click.UsageError(
                f"'{answer}' is an image and '{image}' is none: "
                "were IMAGE and RESPONSE.json swapped?"
            )
    if not many and not output.is_dir():
        [(image, answer)] = pairs
        if not output.suffix:
            output = output.with_name(output.name + ending(image))
        _check_ending(output, fmt)
        tasks = [Task(image, answer, output)]
        refuse_replacing(tasks, [answer])
        return tasks
    refuse_twice([image for image, _ in pairs])
    names = distinct_names([image for image, _ in pairs])
    tasks = [
        Task(image, answer, output / f"{name}.{suffix}{ending(image)}")
        for (image, answer), name in zip(pairs, names, strict=True)
    ]
    refuse_inputs(tasks)
    make_folder(output)
    return tasks


def _check_ending(output: Path, fmt: str | None) -> None:
    """A picture's name does not say another format than it has."""
    from .. import images

    if not fmt:
        images.writable_format(output)
    elif (said := images.format_named(output.name)) not in (None, fmt.upper()):
        raise click.UsageError(f"{output.name!r} is named as {said}, and --format says {fmt}")


def refuse_twice(paths: Sequence[Path]) -> None:
    seen: set[str] = set()
    for path in map(os.path.realpath, paths):
        if path in seen:
            raise InputError(f"{path!r} is given twice")
        seen.add(path)


def refuse_inputs(tasks: Sequence[Task]) -> None:
    """``InputError`` if an output would take the place of a file that is read."""
    refuse_replacing(tasks, [path for task in tasks for path in (task.image, task.answer)])


def refuse_replacing(tasks: Sequence[Task], inputs: Iterable[Path]) -> None:
    """The same for some files that are read."""
    given = set(map(os.path.realpath, inputs))
    for task in tasks:
        if os.path.realpath(task.output) in given:
            raise InputError(f"{str(task.output)!r} is read and would be an output as well")


def run_all(
    tasks: Sequence[Task], work: Callable[[Task], str], *, overwrite: bool, what: str
) -> None:
    """Do every task and say its line. A single one fails as it is; several go on without it."""
    from ..scan import refuse_existing

    if not overwrite:
        refuse_existing(task.output for task in tasks)
    if len(tasks) == 1:
        terminal.say(_line(tasks[0], work))
        return
    codes: list[int] = []
    lines: list[str] = []
    try:
        with terminal.progress(tasks, what) as progress:
            for task in progress:
                try:
                    with exits.about(shown(task.image)):
                        lines.append(_line(task, work))
                except click.ClickException as failure:
                    codes.append(failure.exit_code)
                    terminal.warn(failure.format_message())
                    if failure.exit_code == exits.NOT_WRITTEN:
                        break
    finally:  # also after Ctrl-C; a line to stdout would tear the bar
        for line in lines:
            terminal.say(line)
    terminal.warn(f"{len(lines)} of {len(tasks)} {what} done")
    sys.exit(exits.exit_code_of_all(len(lines), codes))


def _line(task: Task, work: Callable[[Task], str]) -> str:
    return f"{terminal.printable(str(task.output))}: {work(task)}"
