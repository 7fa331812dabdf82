"""The shared core: from pixels to digits.

Training, evaluation, the service and the command line all read pictures through this one package,
so that what the network sees in use is what it was measured on. No HTTP and no TensorFlow here.
"""

from digits.errors import DigitsError, ImageError, ModelError
from digits.network.model import Manifest, Model
from digits.reader import DEFAULT_MODEL, Reader, champion_or_default
from digits.results import Explanation, Mark, Number, Prediction, Reading, TableCell, TableReading

__all__ = [
    "DEFAULT_MODEL",
    "DigitsError",
    "Explanation",
    "ImageError",
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
