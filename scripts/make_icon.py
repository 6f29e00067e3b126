"""Draw assets/icon.png (512 x 512): a quote with its lines and the tick of the desk.

Original, made of distances to simple shapes; only the standard library is needed.
"""

import math
import struct
import zlib
from pathlib import Path

SIZE = 512
INK, PAPER, LINE, TICK = (24, 52, 84), (250, 248, 242), (168, 182, 196), (22, 138, 98)
LINES = ((152, 150, 300), (152, 198, 360), (152, 246, 330), (152, 294, 250))
"""Each text line of the sheet: left, height, right."""


def box(
    x: float, y: float, middle: tuple[float, float], half: tuple[float, float], r: float
) -> float:
    """Return the distance to a box with round corners; negative inside."""
    dx, dy = abs(x - middle[0]) - half[0] + r, abs(y - middle[1]) - half[1] + r
    return math.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - r


def stroke(x: float, y: float, a: tuple[float, float], b: tuple[float, float], r: float) -> float:
    """Return the distance to a thick line with round ends."""
    along = ((x - a[0]) * (b[0] - a[0]) + (y - a[1]) * (b[1] - a[1])) / (
        (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
    )
    t = min(max(along, 0), 1)
    return math.hypot(x - a[0] - t * (b[0] - a[0]), y - a[1] - t * (b[1] - a[1])) - r


def pixel(x: float, y: float) -> bytes:
    """Return one pixel's colour and opacity."""
    layers = [
        (box(x, y, (256, 228), (152, 164), 22), PAPER),
        *((stroke(x, y, (left, at), (right, at), 9), LINE) for left, at, right in LINES),
        (math.hypot(x - 358, y - 362) - 92, INK),
        (math.hypot(x - 358, y - 362) - 76, TICK),
        (min(
            stroke(x, y, (322, 364), (348, 392), 12), stroke(x, y, (348, 392), (398, 336), 12)
        ), PAPER),
    ]  # fmt: skip
    colour = [float(part) for part in INK]
    for distance, paint in layers:
        cover = min(max(0.5 - distance, 0), 1)
        colour = [old + (new - old) * cover for old, new in zip(colour, paint, strict=True)]
    edge = min(max(0.5 - box(x, y, (256, 256), (256, 256), 108), 0), 1)
    return bytes([*(round(part) for part in colour), round(255 * edge)])


def png() -> bytes:
    """Return the picture as a PNG file."""
    rows = b"".join(
        b"\0" + b"".join(pixel(x + 0.5, y + 0.5) for x in range(SIZE)) for y in range(SIZE)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


if __name__ == "__main__":
    (Path(__file__).parents[1] / "assets" / "icon.png").write_bytes(png())
