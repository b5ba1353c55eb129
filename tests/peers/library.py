"""What the scripts that compare deeper with other programs need of it: the shared library by ctypes, a model's input for a picture and
the values of any layer. DEEPER_LIBRARY names libdeeper.so; its default is build/release."""
import ctypes
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARY = os.environ.get("DEEPER_LIBRARY", os.path.join(HERE, "..", "..", "build", "release", "libdeeper.so"))
DATA = os.environ.get("DEEPER_TEST_DATA", os.path.join(HERE, "..", "..", "..", "shared"))


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("offset", ctypes.c_int64), ("message", ctypes.c_char * 512)]


class SessionOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("max_batch", ctypes.c_int), ("threads", ctypes.c_int),
                ("outputs", ctypes.POINTER(ctypes.c_char_p)), ("output_count", ctypes.c_size_t), ("direct", ctypes.c_int)]


class Model:
    def __init__(self, path, layer=None):
        self.library = ctypes.CDLL(LIBRARY)
        self.model, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("deeper_model_open", ctypes.byref(self.model), path.encode(), None)
        names = (ctypes.c_char_p * 1)((layer or "prob").encode())
        options = SessionOptions(ctypes.sizeof(SessionOptions), 1, 0, names, 1, 0)
        self.call("deeper_session_create", ctypes.byref(self.session), self.model, ctypes.byref(options))
        self.side = self.library.deeper_model_image_size(self.model)
        self.channels = self.library.deeper_model_channels(self.model)
        self.library.deeper_session_output_size.restype = ctypes.c_size_t
        self.floats = self.library.deeper_session_output_size(self.session, ctypes.c_size_t(0), None)

    def call(self, name, *arguments):
        error = Error()
        if getattr(self.library, name)(*arguments, ctypes.byref(error)):
            raise RuntimeError(error.message.decode())

    def prepare(self, path):
        """The input tensor for a picture, N x C x H x W."""
        image = ctypes.c_void_p()
        self.call("deeper_image_open", ctypes.byref(image), path.encode(), None)
        tensor = np.empty((1, self.channels, self.side, self.side), np.float32)
        try:
            self.call("deeper_prepare", self.model, image, 1, tensor.ctypes.data_as(ctypes.c_void_p))
        finally:
            self.library.deeper_image_close(image)
        return tensor

    def run(self, tensor):
        out = np.empty(self.floats, np.float32)
        tensor = np.ascontiguousarray(tensor, np.float32)
        places = (ctypes.c_void_p * 1)(out.ctypes.data)
        self.call("deeper_session_run", self.session, tensor.ctypes.data_as(ctypes.c_void_p), 1, places)
        return out


def photos(count):
    """The first photos of the recorded validation set, spread over its classes."""
    folder = os.path.join(DATA, "data", "ilsvrc-val")
    found = []
    for root, folders, files in os.walk(folder):
        folders.sort()
        found += [os.path.join(root, name) for name in sorted(files) if name.lower().endswith((".jpg", ".jpeg", ".png"))]
    step = max(1, len(found) // count)
    return found[::step][:count]


def relative(a, b):
    """The largest difference of two lists of logits, as a part of the largest of them."""
    return float(np.max(np.abs(a.ravel() - b.ravel())) / np.max(np.abs(b)))
