"""Control 6: does every secret rotate, and did it?"""

from datetime import timedelta
from typing import Any

import pytest

from cdk_soc2.boundary import parse
from cdk_soc2.controls.secrets_manager import SECRETS_MANAGER
from cdk_soc2.controls.secrets_manager.cron import Undecidable, longest_gap
from tests.controls.states import findings, reads, reviewed, verdicts
from tests.fakes import NOW, Denied

P, F, U, N = "PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"
REGIONS = ("eu-west-1", "us-east-1")
LIST, DESCRIBE = ("secretsmanager", "list_secrets"), ("secretsmanager", "describe_secret")


def arn(name: str, region: str = "us-east-1") -> str:
    return f"arn:aws:secretsmanager:{region}:123456789012:secret:{name}-AbCdEf"


def ago(days: float) -> Any:
    return NOW - timedelta(days=days)


def secret(name: str = "db", *, every: Any = 30, **changed: Any) -> dict[str, Any]:
    """What DescribeSecret says; a word for *every* is a schedule."""
    rule = "ScheduleExpression" if isinstance(every, str) else "AutomaticallyAfterDays"
    told = {
        "ARN": arn(name),
        "Name": name,
        "RotationEnabled": True,
        "RotationRules": {rule: every},
        "LastRotatedDate": ago(10),
        "LastChangedDate": ago(1),
        "NextRotationDate": NOW + timedelta(days=20),
        "CreatedDate": ago(400),
    }
    return {key: value for key, value in {**told, **changed}.items() if value is not ...}


def state(*secrets: Any, described: Any = None) -> dict[tuple[str, ...], Any]:
    """As AWS, and as the emulator: the list alone does not tell of rotation."""
    by_arn = {s["ARN"]: s for s in secrets if isinstance(s, dict) and "ARN" in s}
    listed = [
        {k: s[k] for k in ("ARN", "Name") if k in s} if isinstance(s, dict) else s for s in secrets
    ]
    return {
        LIST: {"SecretList": listed},
        DESCRIBE: (lambda SecretId: by_arn[SecretId]) if described is None else described,
    }


NEVER = {"LastRotatedDate": ..., "NextRotationDate": ...}
OFF = secret(RotationEnabled=False, LastRotatedDate=...)
REPLICA = {"PrimaryRegion": "eu-west-1", "RotationEnabled": ...}

STATES: dict[str, tuple[dict[tuple[str, ...], Any], str]] = {
    "good": (state(secret()), P),
    "none": (state(), N),
    "off": (state(OFF), F),
    "never configured, nothing said": (
        state(secret(RotationEnabled=..., RotationRules=..., **NEVER)), F,
    ),
    "never configured, null": (state(secret(RotationEnabled=None, RotationRules=None)), F),
    "off, new": (state(secret(RotationEnabled=False, CreatedDate=ago(1), **NEVER)), F),
    "one of two off": (state(secret(), secret("b", RotationEnabled=False)), F),
    "last of many": (
        state(*(secret(f"s{n}") for n in range(300)), secret("z", RotationEnabled=False)), F,
    ),
    "off in one region": (
        state(secret())
        | {("eu-west-1", *LIST): {"SecretList": [{"ARN": arn("e")}]},
           ("eu-west-1", *DESCRIBE): secret("e", RotationEnabled=False)}, F,
    ),
    "none in one region": (state(secret()) | {("eu-west-1", *LIST): {"SecretList": []}}, P),
    "every 90 days": (state(secret(every=90, LastRotatedDate=ago(89))), P),
    "every 91 days": (state(secret(every=91)), F),
    "every 365 days": (state(secret(every=365)), F),
    "within its interval": (state(secret(LastRotatedDate=ago(29))), P),
    "in its window": (state(secret(LastRotatedDate=ago(30), NextRotationDate=...)), P),
    "after its window": (state(secret(LastRotatedDate=ago(31), NextRotationDate=...)), F),
    "91 days ago": (state(secret(every=90, LastRotatedDate=ago(91), NextRotationDate=...)), F),
    "long ago": (state(secret(LastRotatedDate=ago(200), NextRotationDate=...)), F),
    "a next rotation that passed": (state(secret(NextRotationDate=ago(2))), F),
    "a next rotation of today": (state(secret(NextRotationDate=NOW)), P),
    "on, never rotated, old": (state(secret(**NEVER)), F),
    "on, never rotated, null": (state(secret(LastRotatedDate=None)), F),
    "on, never rotated, changed lately": (state(secret(**NEVER, LastChangedDate=ago(0.1))), F),
    "on, never rotated, younger": (state(secret(**NEVER, CreatedDate=ago(29))), P),
    "on, never rotated, just older": (state(secret(**NEVER, CreatedDate=ago(31))), F),
    "on, never rotated, no age": (state(secret(**NEVER, CreatedDate=...)), U),
    "every 365 days, younger": (state(secret(every=365, **NEVER, CreatedDate=ago(1))), F),
    "rate of days": (state(secret(every="rate(30 days)")), P),
    "rate of one day": (state(secret(every="rate(1 day)", LastRotatedDate=ago(0.5))), P),
    "rate of 91 days": (state(secret(every="rate(91 days)")), F),
    "rate of hours": (state(secret(every="rate(12 hours)", LastRotatedDate=ago(0.4))), P),
    "rate of hours, a week ago": (state(secret(every="rate(12 hours)", LastRotatedDate=ago(7))), F),
    "rate of 2161 hours": (state(secret(every="rate(2161 hours)")), F),
    "rate of 0 days": (state(secret(every="rate(0 days)")), U),
    "rate of months": (state(secret(every="rate(1 month)")), U),
    "monthly": (state(secret(every="cron(0 8 1 * ? *)")), P),
    "monthly, missed": (
        state(secret(every="cron(0 8 1 * ? *)", LastRotatedDate=ago(40), NextRotationDate=...)), F,
    ),
    "every second month": (state(secret(every="cron(0 0 1 */2 ? *)")), P),
    "quarterly is 92 days": (state(secret(every="cron(0 0 1 1/3 ? *)")), F),
    "a cron of an unknown form": (state(secret(every="cron(0 0 15W * ? *)")), U),
    "a schedule that is none": (state(secret(every="often")), U),
    "schedule and computed days": (
        state(secret(RotationRules={"ScheduleExpression": "rate(30 days)",
                                    "AutomaticallyAfterDays": 30})), P,
    ),
    "schedule and days disagree": (
        state(secret(RotationRules={"ScheduleExpression": "rate(30 days)",
                                    "AutomaticallyAfterDays": 365})), U,
    ),
    "a partner's secret": (
        state(secret(Type="SalesforceClientSecret", RotationLambdaARN=...,
                     ExternalSecretRotationMetadata=[{"Key": "k", "Value": "v"}])), P,
    ),
    "a partner's secret that does not": (state(secret(Type="X", RotationEnabled=False)), F),
    "replica": (state(secret(**REPLICA)), N),
    "replica and another": (state(secret(**REPLICA), secret("b")), P),
    "replica and one that is off": (state(secret(**REPLICA), OFF | {"ARN": arn("b")}), F),
    "primary of a replica": (state(secret(PrimaryRegion="us-east-1")), P),
    "primary of a replica, off": (
        state(secret(PrimaryRegion="us-east-1", RotationEnabled=False)), F,
    ),
    "replica of another account": (
        state(secret(RotationEnabled=..., CrossAccountPrimary={"PrimarySecretARN": arn("x")})), N,
    ),
    "replica of an unknown account": (state(secret(CrossAccountPrimary={})), U),
    "owned by a service": (state(secret(OwningService="rds", RotationEnabled=...)), N),
    "owned by nobody": (state(secret(OwningService="", RotationEnabled=...)), F),
    "owner is a number": (state(secret(OwningService=1)), U),
    "scheduled for deletion since": (state(secret(RotationEnabled=..., DeletedDate=ago(-7))), N),
    "denied": ({}, U),
    "list denied in one region": (state(secret()) | {("eu-west-1", *LIST): Denied()}, U),
    "described denied": (state(secret(), described=Denied()), U),
    "list null": ({LIST: {"SecretList": None}}, U),
    "list missing": ({LIST: {}}, U),
    "list of words": ({LIST: {"SecretList": ["db"]}}, U),
    "no arn": (state({"Name": "db"}), U),
    "told of another": (state(secret(), described=secret("other")), U),
    "told of nothing": (state(secret(), described={}), U),
    "enabled is a word": (state(secret(RotationEnabled="true")), U),
    "no rules": (state(secret(RotationRules=...)), U),
    "rules null": (state(secret(RotationRules=None)), U),
    "rules empty": (state(secret(RotationRules={})), U),
    "days are a word": (state(secret(every=None, RotationRules={"AutomaticallyAfterDays": "9"})), U),
    "days are true": (state(secret(every=True)), U),
    "days are zero": (state(secret(every=0)), U),
    "rotated is a word": (state(secret(LastRotatedDate="2026-11-20")), U),
    "rotated without a zone": (state(secret(LastRotatedDate=ago(3).replace(tzinfo=None))), U),
    "rotated tomorrow": (state(secret(LastRotatedDate=ago(-1))), U),
    "created tomorrow": (state(secret(**NEVER, CreatedDate=ago(-1))), U),
    "unknown and off": (state(secret(every="often"), OFF | {"ARN": arn("b")}), F),
}  # fmt: skip
# A secret lives in one region, and the other has none, unless the state says so itself.
ONE = {("eu-west-1", *LIST): {"SecretList": []}}


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    answers, expected = STATES[name]
    assert verdicts(SECRETS_MANAGER, ONE | answers, regions=REGIONS) == {
        "secrets_rotation": expected
    }


@pytest.mark.parametrize("name", STATES)
def test_what_is_not_good_has_a_remedy(name: str) -> None:
    found = findings(SECRETS_MANAGER, ONE | STATES[name][0], regions=REGIONS).values()
    assert [o for f in found for o in f.observations if o.status in (F, U) and not o.remedy] == []


def test_it_reads_what_it_says_and_never_a_value() -> None:
    states = [answers for answers, _ in STATES.values()]
    assert reads(SECRETS_MANAGER, states) == set(SECRETS_MANAGER.reads)
    assert not any("Value" in action for action in SECRETS_MANAGER.reads)


def test_what_is_judged_elsewhere_is_named() -> None:
    answers = state(secret("a", **REPLICA), secret("b", OwningService="rds"), secret("c"))
    found = findings(SECRETS_MANAGER, answers)["secrets_rotation"]
    assert (found.population, found.observed) == (3, 1)
    assert [(e.subject, e.reason) for e in found.exclusions] == [
        (arn("a"), "a replica, judged at its primary in eu-west-1"),
        (arn("b"), "owned by rds, which rotates it"),
    ]


@pytest.mark.parametrize(
    ("listed", "expected"), [(["us-east-1"], U), (["us-east-1", "eu-west-1"], N)]
)
def test_a_replica_of_what_nobody_looks_at_is_not_seen(listed: list[str], expected: str) -> None:
    answers, boundary = state(secret(**REPLICA)), parse({"regions": listed})
    found = findings(SECRETS_MANAGER, answers, boundary=boundary)["secrets_rotation"]
    assert found.status == expected
    assert all(o.remedy for o in found.observations)


def test_the_values_that_decide_are_told() -> None:
    found = findings(SECRETS_MANAGER, state(secret()))["secrets_rotation"]
    assert "rotates every 30 days at most, last rotated 2026-11-13T00:00:05Z" in found.detail


def test_a_secret_that_cannot_be_described_costs_no_other() -> None:
    told = {arn("a"): secret("a"), arn("b"): Denied()}
    answers = state(secret("a"), secret("b")) | {
        (*DESCRIBE, name): answer for name, answer in told.items()
    }
    found = findings(SECRETS_MANAGER, answers)["secrets_rotation"]
    assert [str(o.status) for o in found.observations] == [P, U]


@pytest.mark.parametrize("field", secret())
@pytest.mark.parametrize("value", [None, "x", 7, [], {}, True, ...], ids=repr)
def test_no_spoilt_field_lets_a_bad_secret_pass(field: str, value: Any) -> None:
    bad = secret(LastRotatedDate=ago(200), NextRotationDate=ago(170))
    if field in ("LastRotatedDate", "NextRotationDate"):
        bad |= {"NextRotationDate": ago(170), "LastRotatedDate": ago(200)}
    spoilt = {k: v for k, v in {**bad, field: value}.items() if v is not ...}
    found = verdicts(SECRETS_MANAGER, state(bad, described=spoilt))
    assert found["secrets_rotation"] != P


GAPS: dict[str, int | None] = {
    "cron(0 8 * * ? *)": 1, "cron(0 /8 * * ? *)": 1, "cron(0 4/12 * * ? *)": 1,
    "cron(0 8 ? * SUN *)": 7, "cron(0 8 ? * L *)": 7, "cron(0 8 ? * MON-FRI *)": 3,
    "cron(0 8 1,15 * ? *)": 17, "cron(0 8 1/7 * ? *)": 7, "cron(0 0 L * ? *)": 31,
    "cron(0 0 31 * ? *)": 61, "cron(0 0 1 * ? *)": 31, "cron(0 0 1 */2 ? *)": 62,
    "cron(0 0 1 1/3 ? *)": 92, "cron(0 0 1 JAN,APR,JUL,OCT ? *)": 92,
    "cron(0 0 ? * 2#1 *)": 35, "cron(0 0 ? * FRIL *)": 35, "cron(0 0 ? * 6L *)": 35,
    "cron(0 0 ? JAN-DEC/2 MON#1 *)": 63, "cron(0 0 1 1 ? *)": 366, "cron(0 0 29 2 ? *)": 1461,
    "cron(0 0 30 2 ? *)": None, "cron(0 0 1 * 2 *)": None, "cron(0 0 ? * ? *)": None,
    "cron(0 0 1 * ? 2027)": None, "cron(0 0 1 * ?)": None, "cron(0 25 1 * ? *)": None,
    "cron(0 0 0 * ? *)": None, "cron(0 0 L-3 * ? *)": None, "cron(0 0 15W * ? *)": None,
    "cron(0 0 ? * 8 *)": None, "cron(0 0 ? * 2#6 *)": None, "cron(0 0 ? * FRI-MON *)": None,
    "cron(0 0 ? * *#1 *)": None, "cron(0 0 1 */0 ? *)": None, "cron(x 0 1 * ? *)": None,
    "0 0 1 * ? *": None, "": None,
}  # fmt: skip


@pytest.mark.parametrize("expression", GAPS)
def test_longest_gap(expression: str) -> None:
    expected = GAPS[expression]
    if expected is None:
        with pytest.raises(Undecidable):
            longest_gap(expression)
    else:
        assert longest_gap(expression) == timedelta(days=expected)


SECRET, SCHEDULE = "AWS::SecretsManager::Secret", "AWS::SecretsManager::RotationSchedule"
ATTACHMENT = {
    "Type": "AWS::SecretsManager::SecretTargetAttachment",
    "Properties": {"SecretId": {"Ref": "S"}},
}


def schedule(of: Any, **rules: Any) -> dict[str, Any]:
    return {"Type": SCHEDULE, "Properties": {"SecretId": of, "RotationRules": rules}}


TEMPLATES: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "with": ({"R": schedule({"Ref": "S"}, AutomaticallyAfterDays=30)}, [P], [P]),
    "with, a word": ({"R": schedule({"Ref": "S"}, AutomaticallyAfterDays="30")}, [P], [P]),
    "through an attachment": (
        {"A": ATTACHMENT, "R": schedule({"Ref": "A"}, ScheduleExpression="rate(30 days)")},
        [P],
        [P],
    ),
    "without": ({}, [F], []),
    "of another": ({"R": schedule({"Ref": "T"}, AutomaticallyAfterDays=30)}, [F], [P]),
    "too seldom": ({"R": schedule({"Ref": "S"}, AutomaticallyAfterDays=365)}, [P], [F]),
    "quarterly": (
        {"R": schedule({"Ref": "S"}, ScheduleExpression="cron(0 0 1 */3 ? *)")}, [P], [F],
    ),
    "no rules": ({"R": schedule({"Ref": "S"})}, [P], [U]),
    "known at deploy time": (
        {"R": schedule({"Ref": "S"}, AutomaticallyAfterDays={"Ref": "D"})}, [P], [U],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name: str) -> None:
    resources, rotation, often = TEMPLATES[name]
    assert reviewed(SECRETS_MANAGER, {"S": {"Type": SECRET, "Properties": {}}, **resources}) == {
        "secret_has_rotation": rotation,
        "rotation_is_often_enough": often,
    }
