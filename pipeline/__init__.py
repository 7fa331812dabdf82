"""The DVC stages (fetch, preprocess, train, evaluate) and other commands; subpackages have their parts."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # keeps logs readable; before TensorFlow's import
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
