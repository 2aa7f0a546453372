"""A film of a page: pictures with how long each stands, a pointer that is drawn over them, captions.

Nothing of it is taken in time: how long the machine takes to show a page is not seen.
"""

import io
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

WIDTH, HEIGHT = 1280, 800
FPS = 12
MOVE_SECONDS, CLICK_SECONDS, KEY_SECONDS = 0.6, 0.4, 0.07
# A picture is taken after so many letters.
LETTERS = 3
# Constant quality: screens are flat, so this is sharp and small.
QUALITY = 38
SETTLED = "document.readyState === 'complete' && !document.querySelector('.skeleton, [aria-busy=true]')"

Point = tuple[float, float]


@dataclass(frozen=True)
class Shot:
    """A picture (PNG) that stands for some seconds while the pointer goes from one place to another."""

    picture: bytes
    seconds: float
    start: Point
    end: Point
    clicked: bool = False


@dataclass
class Film:
    """Does something on a page and keeps what it looked like. `account` is the demo's one whose task really runs."""

    page: Page
    account: int = 0
    shots: list[Shot] = field(default_factory=list)
    said: list[tuple[float, str]] = field(default_factory=list)
    pointer: Point = (WIDTH * 0.7, HEIGHT * 0.75)

    @property
    def seconds(self) -> float:
        return sum(shot.seconds for shot in self.shots)

    def say(self, words: str) -> None:
        """A caption from here on."""
        self.said.append((self.seconds, words))

    def look(self, seconds: float = 1.5) -> None:
        """Let the viewer look at the page as it is."""
        self.page.wait_for_function(SETTLED)
        self._take(seconds)

    def point(self, at: Locator) -> None:
        """Lead the pointer to something."""
        at.scroll_into_view_if_needed()
        place = at.bounding_box()
        assert place, f"{at} is not to be seen"
        before, self.pointer = self.pointer, (place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        self._take(MOVE_SECONDS, start=before)
        self.page.mouse.move(*self.pointer)

    def click(self, at: Locator, *, then: Locator | None = None, seconds: float = 1.2) -> None:
        """Point and click; wait for what comes then, and look at it."""
        self.point(at)
        self._take(CLICK_SECONDS, clicked=True)
        at.click()
        if then is not None:
            then.first.wait_for()
        self.look(seconds)

    def type(self, into: Locator, words: str) -> None:
        """Click into a field and type."""
        self.point(into)
        into.click()
        into.fill("")
        for at in range(0, len(words), LETTERS):
            part = words[at : at + LETTERS]
            into.press_sequentially(part)
            self._take(KEY_SECONDS * len(part))

    def choose(self, field_: Locator, label: str) -> None:
        """Choose from a select. (What the browser unfolds is no part of the page.)"""
        self.point(field_)
        self._take(CLICK_SECONDS, clicked=True)
        field_.select_option(label=label)
        self.look(0.9)

    def _take(self, seconds: float, *, start: Point | None = None, clicked: bool = False) -> None:
        picture = self.page.screenshot(caret="initial", animations="disabled")
        self.shots.append(Shot(picture, seconds, start or self.pointer, self.pointer, clicked))


def write(film: Film, target: Path) -> None:
    """Write the film as WebM (VP9), and its captions beside it."""
    tool = import_module("imageio_ffmpeg").get_ffmpeg_exe()
    size, rate = f"{WIDTH}x{HEIGHT}", str(FPS)
    given = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", rate, "-i", "-")
    look = ("-c:v", "libvpx-vp9", "-crf", str(QUALITY), "-b:v", "0", "-pix_fmt", "yuv420p", "-g", str(FPS * 8))
    pace = ("-deadline", "good", "-cpu-used", "6", "-row-mt", "1", "-threads", "2", "-map_metadata", "-1")
    command = [tool, "-y", "-loglevel", "error", *given, *look, *pace, "-fflags", "+bitexact", str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoding:
        assert encoding.stdin
        for frame in _frames(film):
            encoding.stdin.write(frame)
        encoding.stdin.close()
        if encoding.wait():
            raise RuntimeError(f"{target.name} could not be encoded")
    target.with_suffix(".vtt").write_text(_captions(film), encoding="utf-8")


def picture(page: Page, target: Path) -> None:
    """A still picture of the page as WebP."""
    page.wait_for_function(SETTLED)
    taken = import_module("PIL.Image").open(io.BytesIO(page.screenshot(animations="disabled")))
    taken.convert("RGB").save(target, "WEBP", quality=78, method=6)


def _frames(film: Film) -> Iterator[bytes]:
    """Each frame as plain RGB. The frames keep pace with the whole: no rounding adds up."""
    images = import_module("PIL.Image")
    passed, done = 0.0, 0
    for shot in film.shots:
        base = images.open(io.BytesIO(shot.picture)).convert("RGB")
        passed += shot.seconds
        many = max(1, round(passed * FPS) - done)
        for number in range(many):
            yield _with_pointer(base, shot, (number + 1) / many)
        done += many


def _with_pointer(base: Any, shot: Shot, part: float) -> bytes:
    eased = part * part * (3 - 2 * part)
    x, y = (a + (b - a) * eased for a, b in zip(shot.start, shot.end, strict=True))
    drawn = base.copy()
    brush = import_module("PIL.ImageDraw").Draw(drawn, "RGBA")
    if shot.clicked:
        ring = 8 + 14 * part
        brush.ellipse(
            (x - ring, y - ring, x + ring, y + ring), outline=(217, 120, 11, round(255 * (1 - part * 0.6))), width=4
        )
    arrow = ((0, 0), (0, 19), (4.5, 15), (8, 22), (11, 20.5), (7.6, 13.8), (13.5, 13.5))
    brush.polygon([(x + a, y + b) for a, b in arrow], fill=(20, 22, 28), outline=(255, 255, 255), width=1)
    return drawn.tobytes()


def _captions(film: Film) -> str:
    ends = [at for at, _ in film.said[1:]] + [film.seconds]
    cues = (
        f"{_clock(start)} --> {_clock(end)}\n{words}\n" for (start, words), end in zip(film.said, ends, strict=True)
    )
    return "WEBVTT\n\n" + "\n".join(cues)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes):02}:{rest:06.3f}"
