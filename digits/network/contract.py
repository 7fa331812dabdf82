"""The contract between the network and everything else: the shapes of its input and output."""

FIELD = 28  # pixels, the side of the network's input
BOX = 20  # pixels, the longer side of the ink in it
CLASSES = 10  # digits; an eleventh output is "not a digit"

INPUT_CONTRACT = (
    "float32 (n, 28, 28, 1), 0..255, ink bright on black, "
    "the ink's longer side 20 pixels, its centre of mass in the middle"
)
