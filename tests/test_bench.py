"""What measures must not lie: limits, the table in README, the slow network."""

import asyncio
import time
from contextlib import suppress

import pytest

from tests.bench import delay, readme, report
from tests.bench.servers import free_port


def line(ratio: float, at_most: float | None = None, at_least: float | None = None) -> report.Line:
    """A line whose figure is held against these."""
    return report.Line("what", 1_000, None, None, ratio, None, ratio, at_most, "itself", at_least=at_least)


@pytest.mark.parametrize(
    ("ratio", "at_most", "at_least", "said"),
    [
        (1.0, 1.0, None, "yes"),
        (1.01, 1.0, None, "no"),
        (0.0, 0.0, None, "yes"),
        (1.0, 0.0, None, "no"),
        (90.0, None, 90.0, "yes"),
        (89.9, None, 90.0, "no"),
        (5.0, None, None, ""),
    ],
)
def test_a_line_says_whether_its_limit_is_kept(ratio, at_most, at_least, said):
    assert line(ratio, at_most, at_least).verdict == said


def test_the_table_in_readme_is_replaced_and_nothing_else():
    one = {"on": "2026-11-26", "machine": "2 cores", "n": 15, "raw": {}, "lines": report.as_json([line(3.5, 4.0)])}
    text = f"before\n{readme.BEGINS}\nold\n{readme.ENDS}\nafter\n"

    written = readme.written(text, {"wire": one, "rounds": one, "audit": one})

    assert written.startswith(f"before\n{readme.BEGINS}\n")
    assert written.endswith(f"{readme.ENDS}\nafter\n")
    assert "old" not in written
    assert '--only rounds,wire"` on 2026-11-26, 2 cores, n = 15' in written
    assert written.count("| what | 1,000 |  |  |  | 3.5 |  | 4 | yes |") == 2
    assert readme.written(written, {"wire": one, "rounds": one, "audit": one}) == written


def test_readme_has_the_place_of_the_table():
    text = readme.README.read_text()
    assert 0 < text.index(readme.BEGINS) < text.index(readme.ENDS)


def test_the_slow_network_passes_everything_on_and_takes_its_time():
    sent = bytes(range(256)) * 400

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(len(sent)))
        await writer.drain()
        writer.close()

    async def ask() -> tuple[bytes, float]:
        port, to = free_port(), free_port()
        async with await asyncio.start_server(echo, "127.0.0.1", to):
            network = asyncio.create_task(delay.serve([(port, to)]))
            reader, writer = await _connected(port)
            begun = time.monotonic()
            writer.write(sent)
            received = await reader.read(-1)
            network.cancel()
            return received, time.monotonic() - begun

    received, took = asyncio.run(ask())
    assert received == sent
    # A greeting, there and back, and 102,400 bytes on a line of 20 Mbit/s.
    assert took >= 2 * delay.THERE_AND_BACK + len(sent) * 8 / delay.BITS_A_SECOND


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        with suppress(ConnectionRefusedError):
            return await asyncio.open_connection("127.0.0.1", port)
