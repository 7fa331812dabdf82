"""What the service answers, typed: these models make the JSON, `/docs.json` and `/schema.json`.

The process that starts the workers imports this for BentoML's methods, so nothing here imports `digits`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel
from starlette.responses import Response

from service.errors import Problem

if TYPE_CHECKING:
    from digits import Explanation, Mark, Reading

Digit = Annotated[int | None, Field(ge=0, le=9, description="None where `rejected` says why.")]
Confidence = Annotated[float | None, Field(ge=0, le=1)]
Probabilities = Annotated[list[float], Field(min_length=10, max_length=10)]
Box = Annotated[
    list[int],
    Field(min_length=4, max_length=4, description="Left, top, right, bottom in pixels of the image sent."),
]
MAX_BATCH = 64  # pictures
Rejection = Literal["blank", "not_a_digit"]
Hint = Literal["too_small", "too_faint", "several_digits"]
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
    def of(cls, explanation: Explanation, seen: str, times: int = 1) -> ExplainAnswer:
        """`seen`: the 28x28 PNG in base64."""
        return cls(
            box=_on_sent(explanation.box, times),
            seen=seen,
            saliency=explanation.saliency.tolist(),
            hint=explanation.hint,
        )


class ExplainAnswers(RootModel[list[ExplainAnswer]]):
    """What the network saw of every mark, in reading order."""


def _one_of(schema: dict[str, Any]) -> None:
    """Says `oneOf` for `anyOf`, of which BentoML's client would take the first and drop what that lacks."""
    schema["oneOf"] = schema.pop("anyOf")


class BatchAnswer(_Answer):
    """For every picture, in the order sent, its answer or why there is none."""

    answers: list[Annotated[PredictAnswer | Problem, Field(json_schema_extra=_one_of)]]


def _on_sent(box: tuple[int, int, int, int], times: int) -> list[int]:
    return [side * times for side in box]


def as_json(answer: BaseModel) -> Response:
    """A typed answer as a response."""
    return Response(answer.model_dump_json(), media_type="application/json")
