"""What the service answers, typed: these models make the JSON and `/docs.json`."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import Annotated

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, RootModel

from digits import Explanation, Manifest, Mark, Prediction, Reading
from digits.reader import Hint, Rejection
from service.errors import Problem

Digit = Annotated[int | None, Field(ge=0, le=9, description="None where `rejected` says why.")]
Confidence = Annotated[float | None, Field(ge=0, le=1)]
Probabilities = Annotated[list[float], Field(min_length=10, max_length=10)]
Box = Annotated[
    list[int],
    Field(min_length=4, max_length=4, description="Left, top, right, bottom in pixels of the image sent."),
]
Version = Annotated[str, Field(description="The model's version in the registry.")]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True, frozen=True)


class PredictAnswer(_Answer):
    """The digit of a picture of one digit."""

    digit: Digit
    confidence: Confidence
    probabilities: Probabilities | None
    rejected: Rejection | None
    model: Version

    @classmethod
    def of(cls, prediction: Prediction) -> PredictAnswer:
        return cls.model_validate(prediction)


class MarkAnswer(_Answer):
    """One mark of a picture."""

    digit: Digit
    confidence: Confidence
    probabilities: Probabilities
    rejected: Rejection | None
    box: Box

    @classmethod
    def of(cls, mark: Mark, times: int) -> MarkAnswer:
        answer = cls.model_validate(mark)
        return answer if times == 1 else answer.model_copy(update={"box": _on_sent(mark.box, times)})


class ReadAnswer(_Answer):
    """All digits of a picture, in reading order."""

    text: str = Field(description="`?` for a mark that is no digit, a line end between lines.")
    digits: list[MarkAnswer]
    model: Version

    @classmethod
    def of(cls, reading: Reading, times: int = 1) -> ReadAnswer:
        """`times`: how many times smaller than the picture that was sent the one is that was read."""
        marks = [MarkAnswer.of(mark, times) for mark in reading.digits]
        return cls(text=reading.text, digits=marks, model=reading.model)


class ExplainAnswer(_Answer):
    """What the network saw of one mark."""

    box: Box
    seen: str = Field(description="A 28x28 PNG in base64, ink bright.")
    saliency: list[list[float]] = Field(
        min_length=28, max_length=28, description="28x28 numbers from -1 to 1: for and against the answer."
    )
    hint: Hint | None

    @classmethod
    def of(cls, explanation: Explanation, times: int = 1) -> ExplainAnswer:
        png = BytesIO()
        Image.fromarray(explanation.seen).save(png, "PNG")
        return cls(
            box=_on_sent(explanation.box, times),
            seen=b64encode(png.getvalue()).decode(),
            saliency=explanation.saliency.tolist(),
            hint=explanation.hint,
        )


class ExplainAnswers(RootModel[list[ExplainAnswer]]):
    """What the network saw of every mark, in reading order."""


class BatchAnswer(_Answer):
    """For every picture, in the order sent, its answer or why there is none."""

    answers: list[PredictAnswer | Problem]


def _on_sent(box: tuple[int, int, int, int], times: int) -> list[int]:
    return [side * times for side in box]


class ManifestAnswer(RootModel[Manifest]):
    """What the folder of the model says of it."""
