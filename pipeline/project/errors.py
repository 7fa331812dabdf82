"""The errors that stages and commands raise on purpose.

PipelineError
├── ParameterError   a section of params.yaml is missing, or has a misspelt or invalid entry
├── FetchError       no source could provide the digits
├── SourceError      one source cannot provide a file; fetch tries the next source
├── DataError        a data file is damaged or inconsistent, or an image is in more than one split
├── ExportError      a model cannot be exported to a model folder
├── StoreError       a team's MLflow server cannot be used, or the settings of its DVC remote are missing
├── TrafficError     the service's traffic cannot be compared (too little, no reference, or no service)
├── RegistryError    the local MLflow database or folder is damaged, locked, missing or not writable
├── ReproduceError   a run cannot be reproduced (unknown run, or its commit or data is missing here)
├── OvertakenError   another process or machine has changed the champion
└── UpdateError      a new version of the project cannot be merged
"""

from __future__ import annotations


class PipelineError(Exception):
    """The base class of all these errors. The message says what is wrong and what to do."""


class ParameterError(PipelineError):
    """A section of params.yaml is missing, or has a misspelt or invalid entry."""


class FetchError(PipelineError):
    """No source could provide the digits. The message lists every source with its reason."""


class SourceError(PipelineError):
    """One source cannot provide a file. The message is a short reason."""


class DataError(PipelineError):
    """A data file is damaged or inconsistent, or splits share an image. The message names the file."""


class ExportError(PipelineError):
    """A model cannot be exported to a model folder. The message says why."""


class StoreError(PipelineError):
    """A team's MLflow server cannot be used, or the settings of its DVC remote are missing."""


class TrafficError(PipelineError):
    """The service's traffic cannot be compared: there is too little of it, no reference, or no service."""


class RegistryError(PipelineError):
    """The local MLflow database or folder is damaged, locked, missing or not writable.

    The message says how to repair it.
    """


class ReproduceError(PipelineError):
    """A run cannot be reproduced because it is unknown, or because its commit or data is missing here."""


class OvertakenError(PipelineError):
    """Another process or machine has changed the champion. The message names the current champion."""


class UpdateError(PipelineError):
    """A new version of the project cannot be merged. The message says why and what to do."""
