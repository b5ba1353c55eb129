"""pictures.py - public collections of pictures: the pixels that deeper reads from each file beside Pillow's.

    pictures.py [--fetch] FOLDER

FOLDER holds the files, in any folders; nothing of it belongs into the repository. --fetch clones the test pictures of Pillow, image-rs,
libpng (PngSuite) and bmpsuite into it, and is the only thing here that uses the network. DEEPER_LIBRARY: as in library.py. Needs Pillow
and numpy. Pillow's picture is turned by its EXIF block and composed over white, which are deeper's rules. Prints a line for each file that
differs, a table of refusals, and figures; exit code 1 if a file differs by more than a level."""
import ctypes
import os
import re
import subprocess
import sys
import warnings
from collections import Counter

import numpy as np
from PIL import Image, ImageOps

from library import LIBRARY, Error

COLLECTIONS = ["https://github.com/python-pillow/Pillow", "https://github.com/image-rs/image", "https://github.com/glennrp/libpng",
               "https://github.com/jsummers/bmpsuite"]
ENDINGS = re.compile(r"\.(png|jpe?g|gif|tiff?|bmp|dib|webp|p[bgpn]m|avifs?|hei[cf]|hif)$", re.I)
warnings.simplefilter("ignore")
Image.MAX_IMAGE_PIXELS = 178956970 // 2  # Pillow refuses twice as many, as deeper does


def of_deeper(library, path):
    """Pixels, or the reason why not."""
    image, error = ctypes.c_void_p(), Error()
    if library.deeper_image_open(ctypes.byref(image), os.fsencode(path), None, ctypes.byref(error)):
        return error.message.decode(errors="replace")
    height, width = library.deeper_image_height(image), library.deeper_image_width(image)
    library.deeper_image_pixels.restype = ctypes.POINTER(ctypes.c_uint8)
    pixels = np.ctypeslib.as_array(library.deeper_image_pixels(image), (height, width, 3)).copy()
    library.deeper_image_close(image)
    return pixels


def of_pillow(path):
    try:
        with Image.open(path) as image:
            image.load()
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I"):  # 16 bits, which Pillow does not scale to 8 itself
                return ((np.asarray(image).astype(np.int64) * 255 + 32767) // 65535).astype(np.uint8)[..., None].repeat(3, 2)
            if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
            return np.asarray(image.convert("RGB"))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main():
    folder = sys.argv[-1]
    if "--fetch" in sys.argv:
        for address in COLLECTIONS:
            subprocess.run(["git", "clone", "--depth", "1", address, os.path.join(folder, address.rsplit("/", 1)[1])], check=True)
    library, counts, refusals, differs = ctypes.CDLL(LIBRARY), Counter(), Counter(), 0
    for path in sorted(os.path.join(root, name) for root, _, names in os.walk(folder) for name in names if ENDINGS.search(name)):
        ours, theirs = of_deeper(library, path), of_pillow(path)
        kind, short = path.rsplit(".", 1)[1].lower(), os.path.relpath(path, folder)
        if isinstance(ours, str):
            what = "refused by both" if isinstance(theirs, str) else "refused"
            if what == "refused":
                print(f"refused  {short}: {ours.split(': ', 1)[-1]}")
            refusals[re.sub(r"\d+", "N", ours.split(": ", 1)[-1])[:90]] += 1
        elif isinstance(theirs, str):
            what = "read by deeper alone"
            print(f"alone    {short}: Pillow: {theirs[:90]}")
        elif ours.shape != theirs.shape:
            what = "differs"
            print(f"differs  {short}: {ours.shape[1]}x{ours.shape[0]}, not {theirs.shape[1]}x{theirs.shape[0]}")
        else:
            most = int(np.abs(ours.astype(int) - theirs.astype(int)).max())
            what = "equal" if most == 0 else "within a level" if most == 1 else "differs"
            if what == "differs":
                share = (ours != theirs).any(2).mean()
                print(f"differs  {short}: by {most} levels in {100 * share:.2f} % of its pixels")
        differs += what == "differs"
        counts[kind, what] += 1
    print()
    for what, count in refusals.most_common():
        print(f"{count:5d}  {what}")
    print()
    whats = ["equal", "within a level", "differs", "refused", "refused by both", "read by deeper alone"]
    print(f"{'':6s}" + "".join(f"{what:>22s}" for what in whats))
    for kind in sorted({kind for kind, _ in counts}):
        print(f"{kind:6s}" + "".join(f"{counts[kind, what]:22d}" for what in whats))
    print(f"{'all':6s}" + "".join(f"{sum(counts[k, w] for k, w in counts if w == what):22d}" for what in whats))
    return differs > 0


sys.exit(main())
