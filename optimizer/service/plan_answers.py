"""Answers to questions about plans: parse, delegate, serialise."""

from __future__ import annotations

from typing import Any

from optimizer.domain.evaluation import EvaluationSpec
from optimizer.service.resources import complete
from optimizer.wire.convert import parse, to_message


def evaluation(spec: Any) -> Any:
    """The ``Evaluation`` message to an ``EvaluationSpec`` message."""
    from optimizer.app.evaluation import evaluate  # the first call loads the audit, not the server

    question = parse(EvaluationSpec, spec, "spec")
    return to_message(evaluate(question.model_copy(update={"portfolio": complete(question.portfolio)})))
