"""The shared core: from pixels to digits.

Training, evaluation, the service and the command line all read pictures through this one package,
so that what the network sees in use is what it was measured on. No HTTP and no TensorFlow here.
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
        """Import a name's home when it is first asked for.

        `python -m digits` imports this file before any line of its own can run. The homes take a second
        (onnxruntime, OpenCV), in which Ctrl-C would end in a traceback; `--help` needs none of them.
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
