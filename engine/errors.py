"""What the house says when it refuses.

AppError
 ├── RuleViolation      a business rule forbids it; the sentence names the rule and the remedy        422
 ├── InvalidForm        one or more fields are wrong; all are listed at once                          422
 ├── DeploymentRefused  a diagram, table or form cannot run; every problem is listed                  422
 ├── NotFound           it does not exist, or the asker may not know that it does                     404
 ├── Forbidden          the asker may see it but not do this                                          403
 └── Conflict           somebody else was faster; says who did what when                              409
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from engine.i18n import Sentence, _


@dataclass(frozen=True)
class Problem:
    """One thing wrong. `where` is a field path ("lines.0.amount") or a BPMN element id."""

    where: str
    message: Sentence
    remedy: Sentence | None = None
    rule: str = ""
    file: str = ""
    severity: Literal["error", "warning"] = "error"
    """a warning refuses nothing"""

    def as_dict(self) -> dict[str, Any]:
        return {
            "where": self.where,
            "rule": self.rule,
            "message": str(self.message),
            "remedy": str(self.remedy) if self.remedy else "",
            "severity": self.severity,
            **({"file": self.file} if self.file else {}),
        }


class AppError(Exception):
    """Base of every refusal; carries a code for machines and a sentence for people."""

    status = 400
    code = "refused"

    def __init__(
        self,
        message: Sentence,
        *,
        code: str | None = None,
        remedy: Sentence | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.problems = problems
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}" if self.remedy else str(self.message)


class RuleViolation(AppError):
    status = 422
    code = "rule_violation"


class InvalidForm(AppError):
    status = 422
    code = "invalid_form"

    def __init__(self, problems: tuple[Problem, ...] | list[Problem]) -> None:
        super().__init__(_("Please correct the marked fields."), problems=tuple(problems))

    def by_field(self) -> dict[str, str]:
        return {problem.where: str(problem.message) for problem in self.problems}


class DeploymentRefused(AppError):
    status = 422
    code = "deployment_refused"

    def __init__(self, problems: tuple[Problem, ...] | list[Problem]) -> None:
        super().__init__(
            _("The definition cannot run. Problems: {count}.", count=len(problems)),
            problems=tuple(problems),
        )


class NotFound(AppError):
    status = 404
    code = "not_found"

    def __init__(self, message: Sentence | None = None, *, remedy: Sentence | None = None) -> None:
        super().__init__(message or _("This does not exist, or you may not see it."), remedy=remedy)


class Forbidden(AppError):
    status = 403
    code = "forbidden"


class Conflict(AppError):
    status = 409
    code = "conflict"


class BpmnError(Exception):
    """An error the diagram foresees: caught by an error event with this code."""

    def __init__(self, code: str, message: str = "", **variables: Any) -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message
        self.variables = variables
