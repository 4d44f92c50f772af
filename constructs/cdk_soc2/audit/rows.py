"""What readiness asks: the handbook's thirteen questions, then every further check of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cdk_soc2.audit.calendar import DUTIES


@dataclass(frozen=True, slots=True)
class Question:
    """One of the handbook's thirteen, in our words.

    :param checks: control key and check id of what answers it; some have no control here yet.
    """

    number: int
    asks: str
    checks: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One check as readiness asks for it.

    :param number: the handbook's question, ``None`` for a check that is ours.
    :param known: has this version a control that does it?
    """

    number: int | None
    asks: str
    control: str
    check: str
    known: bool


HANDBOOK = (
    Question(
        1,
        "Does everybody need MFA to sign in?",
        (("mfa", "mfa"), ("mfa", "identity_provider_mfa")),
    ),
    Question(2, "Is every management API call recorded?", (("cloudtrail", "cloudtrail"),)),
    Question(
        3,
        "Are threats looked for, and findings reviewed?",
        (("guardduty", "guardduty"), ("guardduty", "guardduty_review")),
    ),
    Question(4, "Is network traffic logged?", (("vpc_flow_logs", "vpc_flow_logs"),)),
    Question(5, "Are secrets managed, and rotated?", (("secrets_manager", "secrets_rotation"),)),
    Question(6, "Is every new volume encrypted?", (("ebs_encryption", "ebs_encryption"),)),
    Question(
        7,
        "Can nothing in S3 become public?",
        (("s3_block_public_access", "s3_block_public_access"),),
    ),
    Question(
        8,
        "Can nobody, not even an admin, merge without review?",
        (("branch_protection", "branch_protection"),),
    ),
    Question(9, "Is every image scanned?", (("image_scanning", "image_scanning"),)),
    Question(
        10,
        "Is there a runbook for incidents, and was it rehearsed?",
        (("incident_response", "runbook"), ("incident_response", "tabletop")),
    ),
    Question(
        11,
        "Was access reviewed, and what was found removed?",
        (("access_reviews", "access_review"),),
    ),
    Question(
        12,
        "Was a backup restored, and its data checked?",
        (("backup_verification", "restore_test"),),
    ),
    Question(13, "Was every production change approved?", (("change_management", "change_log"),)),
)

# For how many days a document that people make is current, from the day it takes effect.
DOCUMENTS: Mapping[str, int] = {check: duty.days for check, duty in DUTIES.items()}


def rows(matrix: Iterable[Mapping[str, Any]], found: Mapping[str, str]) -> list[Asked]:
    """Every question once: the handbook's, then those of *matrix*, then what else the vault holds.

    :param matrix: the rows of :func:`cdk_soc2.control.matrix`.
    :param found: the control of every check id that the evidence itself names.
    """
    ours = {row["check"]: row for row in matrix}
    asked = [
        Asked(question.number, question.asks, control, check, check in ours)
        for question in HANDBOOK
        for control, check in question.checks
    ]
    taken = {a.check for a in asked}
    asked += [
        Asked(None, row["passes_when"], row["control"], check, True)
        for check, row in ours.items()
        if check not in taken
    ]
    taken |= ours.keys()
    asked += [
        Asked(None, f"{check} (of another version)", control, check, False)
        for check, control in found.items()
        if check not in taken
    ]
    return asked
