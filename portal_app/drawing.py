"""Makes a PNG of the SVG that comes in: `python -m portal_app.drawing WIDTH HEIGHT`, twice as many pixels each way."""

import sys

import typst

_CANVAS = (
    "#set page(width: {width}pt, height: {height}pt, margin: 0pt, fill: none)\n"
    '#image(bytes(sys.inputs.svg), format: "svg", width: 100%, height: 100%, fit: "contain")'
)


def main(width: str, height: str) -> None:
    """From standard input to standard output."""
    canvas = _CANVAS.format(width=int(width), height=int(height)).encode()
    drawn = typst.compile(canvas, format="png", ppi=144.0, sys_inputs={"svg": sys.stdin.buffer.read().decode()})
    sys.stdout.buffer.write(drawn)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])
