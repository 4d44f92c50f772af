"""Control 6 in a template: a secret that is deployed rotates."""

from __future__ import annotations

from typing import Any

from cdk_soc2.control import Observed
from cdk_soc2.controls.secrets_manager import (
    rules_plaintext as rules_plaintext,
)  # it attaches itself
from cdk_soc2.controls.secrets_manager.control import SECRETS_MANAGER
from cdk_soc2.controls.secrets_manager.schedule import LIMIT, interval
from cdk_soc2.template import Resource, Template

SCHEDULE = "AWS::SecretsManager::RotationSchedule"
ATTACHMENT = "AWS::SecretsManager::SecretTargetAttachment"


@SECRETS_MANAGER.rule_for(
    "AWS::SecretsManager::Secret",
    fix="Add a rotation schedule; in the CDK, secret.add_rotation_schedule(...).",
)
def secret_has_rotation(secret: Resource) -> Observed:
    """A secret has a rotation schedule, which names it, in the same deployment."""
    schedules = secret.template.everywhere(SCHEDULE) if secret.template else ()
    ok = any(_rotates(schedule) == (secret.template, secret.id) for schedule in schedules)
    return secret.seen(ok, "has a schedule" if ok else "no rotation schedule")


def _rotates(schedule: Resource) -> tuple[Template, str] | None:
    """The secret that *schedule* is of; an attachment's Ref is the secret's ARN, too."""
    found = (
        schedule.template.target(schedule.properties.get("SecretId")) if schedule.template else None
    )
    named = found[0].find(found[1]) if found else None
    if found is not None and named is not None and named.type == ATTACHMENT:
        return found[0].target(named.properties.get("SecretId"))
    return found


@SECRETS_MANAGER.rule_for(SCHEDULE, fix=f"Rotate at least every {LIMIT.days} days.")
def rotation_is_often_enough(schedule: Resource) -> Observed:
    """A rotation schedule rotates at least every 90 days."""
    days = schedule.value("RotationRules.AutomaticallyAfterDays")
    rules: dict[str, Any] = {
        "AutomaticallyAfterDays": int(days) if str(days).isdecimal() else days,
        "ScheduleExpression": schedule.value("RotationRules.ScheduleExpression"),
    }
    every = interval(rules)
    return schedule.seen(every <= LIMIT, f"every {every.days} days at most", "RotationRules")
