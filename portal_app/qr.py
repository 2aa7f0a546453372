"""A QR code as one SVG path: drawn in the page itself, no picture is asked for anywhere."""

from itertools import groupby

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode


def path_of(text: str) -> tuple[str, int]:
    """The path of the dark squares, and the side of the whole in squares, its quiet border of four included."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    matrix = code.get_matrix()
    return "".join(_runs(y, row) for y, row in enumerate(matrix)), len(matrix)


def _runs(y: int, row: list) -> str:
    drawn, x = "", 0
    for dark, run in groupby(row):
        width = len(list(run))
        drawn += f"M{x} {y}h{width}v1h-{width}z" if dark else ""
        x += width
    return drawn
