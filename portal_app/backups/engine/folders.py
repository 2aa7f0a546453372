"""Folders of this machine: only below those that the provider allows a partner, and by no symbolic link out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from portal_app.errors import Invalid
from portal_app.settings import settings

NOT_ALLOWED = "This folder isn't one of those that may be backed up here."
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def allowed(path: str, partner_code: str) -> tuple[Path, PurePosixPath]:
    """The partner's folder that holds the path, and the path below it. Raises Invalid."""
    wanted = PurePosixPath(path)
    for root in settings().readable_folders(partner_code):
        if wanted.is_absolute() and ".." not in wanted.parts and wanted.is_relative_to(root.as_posix()):
            return root, wanted.relative_to(root.as_posix())
    raise Invalid(path=NOT_ALLOWED)


@contextmanager
def opened(path: str, partner_code: str, *, make: bool = False) -> Iterator[int]:
    """A handle of the folder, reached step by step without following any link. Raises Invalid.

    What works from the handle stays in that very folder, whatever somebody puts in its place meanwhile.
    """
    root, below = allowed(path, partner_code)
    try:
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for name in below.parts:
            handle = step(handle, name, make=make)
    except FileNotFoundError:
        raise Invalid(path="There is no such folder.") from None
    except OSError:
        raise Invalid(path="This isn't a folder that the portal can read.") from None
    try:
        yield handle
    finally:
        os.close(handle)


def step(handle: int, name: str, *, make: bool = False) -> int:
    """The handle of a folder in the folder of `handle`, which is closed. Raises OSError, for a link too."""
    try:
        if make:
            ensure(handle, name)
        return os.open(name, _DIRECTORY, dir_fd=handle)
    finally:
        os.close(handle)


def ensure(handle: int, name: str) -> None:
    """Make a folder in the folder of `handle`, unless there is one."""
    try:
        os.mkdir(name, 0o755, dir_fd=handle)
    except FileExistsError:
        return
