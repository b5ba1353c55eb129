#!/usr/bin/env python3
"""Records what Pillow's resize gives, for tests/test_image_resize.c. Run with Pillow 12 or older (13 resamples some pictures rows first):

    python3 resize_pillow.py        # writes resize_pillow.txt beside this file

The input pictures are not stored: their levels are by the formula of level() below, which the test repeats. A line of the file is
    FILTER IN_WIDTH IN_HEIGHT OUT_WIDTH OUT_HEIGHT X0 Y0 X1 Y1 HEX
with the box in pixels and the output's RGB bytes as hex digits."""
import os

from PIL import Image, __version__

FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "area": Image.BOX, "bicubic": Image.BICUBIC}

# Input size, output size, box (None: all). Shrinking and enlarging, by whole numbers and not, one
# way and both, to and from one pixel; fractional boxes; prime sizes; strongly elongated.
CASES = [
    ((1, 1), (1, 1), None),
    ((1, 1), (5, 3), None),
    ((7, 5), (1, 1), None),
    ((16, 12), (16, 12), None),
    ((16, 12), (8, 6), None),
    ((12, 9), (24, 18), None),
    ((31, 23), (17, 13), None),
    ((11, 9), (23, 17), None),
    ((64, 48), (13, 29), None),
    ((48, 64), (29, 13), None),
    ((200, 3), (11, 9), None),
    ((3, 200), (9, 11), None),
    ((97, 61), (16, 16), None),
    ((40, 30), (20, 20), (5, 3, 35, 27)),
    ((40, 30), (21, 19), (5.25, 3.5, 34.75, 27.125)),
    ((40, 30), (19, 23), (10.5, 10.5, 14.25, 13.75)),
    ((40, 30), (12, 9), (0, 0, 40, 0.5)),
    ((301, 201), (16, 16), (1.5, 0, 300.75, 200.5)),
]


def level(x, y, c):
    """Noise with hard edges: a hash of place and channel, pushed to black or white in every third column."""
    value = ((x * 73856093) ^ (y * 19349663) ^ ((c + 1) * 83492791)) & 0xFFFFFFFF
    value = ((value ^ (value >> 13)) * 1274126177) & 0xFFFFFFFF
    value = (value >> 16) & 0xFF
    return value if x % 3 else 255 * (value & 1)


def picture(width, height):
    return Image.frombytes("RGB", (width, height), bytes(level(x, y, c) for y in range(height) for x in range(width) for c in range(3)))


def main():
    if int(__version__.split(".")[0]) > 12:
        raise SystemExit("needs Pillow 12 or older, this is " + __version__)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "resize_pillow.txt"), "w") as out:
        for size, target, box in CASES:
            for name, number in FILTERS.items():
                result = picture(*size).resize(target, number, box=box)
                numbers = " ".join("%g" % value for value in (*size, *target, *(box or (0, 0, *size))))
                out.write("%s %s %s\n" % (name, numbers, result.tobytes().hex()))


if __name__ == "__main__":
    main()
