"""The shared core that turns pixels into digits.

Training, evaluation, the service and the command line all read pictures with this package, so that the
network's input in use is the same as in training and evaluation. HTTP and TensorFlow are not used here.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digits.errors import DigitsError, ImageError, ModelError
    from digits.layout.look import Look
    from digits.network.model import Manifest, Model
    from digits.reader import DEFAULT_MODEL, Reader, champion_or_default
    from digits.results import Explanation, Mark, Number, Prediction, Reading, TableCell, TableReading
else:
    _HOMES = {
        "digits.errors": ("DigitsError", "ImageError", "ModelError"),
        "digits.layout.look": ("Look",),
        "digits.network.model": ("Manifest", "Model"),
        "digits.reader": ("DEFAULT_MODEL", "Reader", "champion_or_default"),
        "digits.results": (
            "Explanation",
            "Mark",
            "Number",
            "Prediction",
            "Reading",
            "TableCell",
            "TableReading",
        ),
    }

    def __getattr__(name):
        """Import the module that defines a name when the name is first used.

        `python -m digits` imports this file before any line of `__main__` can run. Importing these modules
        takes a second (onnxruntime, OpenCV). Ctrl-C would print a traceback during that second, and `--help`
        does not need the modules.
        """
        for home, names in _HOMES.items():
            if name in names:
                return globals().setdefault(name, getattr(import_module(home), name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DEFAULT_MODEL",
    "DigitsError",
    "Explanation",
    "ImageError",
    "Look",
    "Manifest",
    "Mark",
    "Model",
    "ModelError",
    "Number",
    "Prediction",
    "Reader",
    "Reading",
    "TableCell",
    "TableReading",
    "champion_or_default",
]
