"""Every error that a stage or command raises on purpose.

PipelineError
├── ParameterError   a section of params.yaml that is missing, or holds a misspelt or wrong entry
├── FetchError       no source could give the digits
├── SourceError      one source cannot give a file: fetch goes on to the next
├── DataError        a file of digits that is damaged, inconsistent or leaks between the splits
├── ExportError      a model that cannot become a model folder
├── StoreError       a team's MLflow server that cannot be used, or settings of its data that are missing
├── TrafficError     what the service was sent cannot be compared: too little, no reference, no service
├── RegistryError    MLflow's database or folder here that is damaged, locked, lost or cannot be written
├── ReproduceError   a run that cannot be reproduced: unknown, or its commit or data is not here
├── OvertakenError   another machine changed the champion at the same time
└── UpdateError      a new version of the project that cannot be merged
"""

from __future__ import annotations


class PipelineError(Exception):
    """The base of all errors here; its text says what is wrong and what to do."""


class ParameterError(PipelineError):
    """A section of params.yaml that is missing, or holds a misspelt or wrong entry."""


class FetchError(PipelineError):
    """No source could give the digits; the text lists each with its reason."""


class SourceError(PipelineError):
    """One source cannot give a file; the text is the reason in a few words."""


class DataError(PipelineError):
    """A file of digits that is damaged, inconsistent or leaks between the splits; the text names it."""


class ExportError(PipelineError):
    """A model that cannot be put behind the contract of a model folder; the text says why."""


class StoreError(PipelineError):
    """A team's MLflow server that cannot be used, or settings of its data that are missing."""


class TrafficError(PipelineError):
    """What the service was sent cannot be compared: too little of it, no reference, or no service."""


class RegistryError(PipelineError):
    """MLflow's database or folder here is damaged, locked, lost or not to be written; names the way out."""


class ReproduceError(PipelineError):
    """A run that cannot be reproduced: it is not known, or its commit or data is not here."""


class OvertakenError(PipelineError):
    """Another machine changed the champion at the same time; the text says which one it is now."""


class UpdateError(PipelineError):
    """A new version of the project that cannot be merged; the text says why and what to do."""
