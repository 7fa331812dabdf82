"""Imported by Python at its start; arms the fault in the process that it is meant for."""

import atexit
import os

if "FAULT" in os.environ:
    from fault import Fault, arm, is_meant  # type: ignore[import-not-found]  # in this folder

    if is_meant(meant := Fault.from_json(os.environ["FAULT"])):
        atexit.register(arm(meant).tell)
