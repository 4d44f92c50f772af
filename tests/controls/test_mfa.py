"""Control 1: passwords, MFA and keys, of root and of every user."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from cdk_soc2.boundary import parse
from cdk_soc2.control import matrix
from cdk_soc2.controls.mfa import MFA
from tests.controls.states import findings, reads, reviewed, verdicts
from tests.fakes import ACCOUNT, NOW, Absent, Denied

MADE = NOW - timedelta(hours=3)
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
    "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
    "access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)


def arn(user: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{user}"


def ago(days: int) -> str:
    return f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%S+00:00}"


def row(
    user: str,
    *,
    password: str = "false",
    mfa: str = "false",
    keys: tuple[tuple[str, str], tuple[str, str]] = (("false", "N/A"), ("false", "N/A")),
) -> str:
    (one, rotated), (two, rotated_too) = keys
    return (
        f"{user},{arn(user)},{ago(400)},{password},no_information,N/A,N/A,{mfa},"
        f"{one},{rotated},N/A,N/A,N/A,{two},{rotated_too},N/A,N/A,N/A,false,N/A,false,N/A"
    )


ROOT = row("<root_account>", password="not_supported", mfa="true")
ROOT_WITHOUT_MFA = row("<root_account>", password="not_supported")
ROOT_WITH_PASSWORD = row("<root_account>", password="TRUE")
ROOT_WITHOUT_CREDENTIALS = row("<root_account>", password="FALSE")
ROOT_WITH_KEY = row("<root_account>", mfa="true", keys=(("true", ago(5)), ("false", "N/A")))
ADA = row("ada", password="true", mfa="true")
ADA_WITHOUT_MFA = row("ada", password="true")
BOT = row("bot", keys=(("true", ago(90)), ("false", ago(900))))
BOT_WITH_OLD_KEY = row("bot", keys=(("false", "N/A"), ("true", ago(91))))

SUMMARY = {"AccountMFAEnabled": 1, "AccountPasswordPresent": 1, "AccountAccessKeysPresent": 0}
NO_MFA = {**SUMMARY, "AccountMFAEnabled": 0}
NO_CREDENTIALS = {**NO_MFA, "AccountPasswordPresent": 0}
POLICY = {"MinimumPasswordLength": 14, "PasswordReusePrevention": 24, "ExpirePasswords": False}
COMPLETE = {"State": "COMPLETE"}
BREAK_GLASS = parse({"break_glass_users": ["ada"]})


def report(*rows: str, made: Any = MADE, content: Any = None) -> dict[str, Any]:
    body = "\n".join([HEADER, *rows]).encode()
    return {
        "Content": body if content is None else content,
        "ReportFormat": "text/csv",
        "GeneratedTime": made,
    }


def users(*names: str, created: datetime = NOW - timedelta(days=400)) -> list[dict[str, Any]]:
    return [{"UserName": n, "Arn": arn(n), "CreateDate": created} for n in names]


def state(
    *rows: str,
    summary: Any = SUMMARY,
    policy: Any = POLICY,
    listed: Any = None,
    generated: Any = COMPLETE,
    answer: Any = None,
) -> dict[tuple[str, ...], Any]:
    names = [r.split(",")[0] for r in rows if not r.startswith("<")]
    listed = users(*names) if listed is None else listed
    return {
        ("iam", "generate_credential_report"): generated,
        ("iam", "get_credential_report"): report(*rows) if answer is None else answer,
        ("iam", "get_account_summary"): {"SummaryMap": summary}
        if isinstance(summary, dict)
        else summary,
        ("iam", "get_account_password_policy"): {"PasswordPolicy": policy}
        if isinstance(policy, dict)
        else policy,
        ("iam", "list_users"): {"Users": listed} if isinstance(listed, list) else listed,
    }


def without(record: dict[str, Any], name: str) -> dict[str, Any]:
    return {k: v for k, v in record.items() if k != name}


P, F, U = "PASS", "FAIL", "UNKNOWN"
STARTED, IN_PROGRESS = {"State": "STARTED"}, {"State": "INPROGRESS"}
CHECKS = ("mfa", "root_access_keys", "console_users", "access_keys", "password_policy")
CASES: dict[str, tuple[dict[tuple[str, ...], Any], str]] = {
    # name: (answers, the verdicts of CHECKS, in order); ada is a break-glass user
    "good": (state(ROOT, ADA, BOT), "PPPPP"),
    "no users": (state(ROOT), "PPPPP"),
    "root without credentials": (
        state(ROOT_WITHOUT_CREDENTIALS, summary=NO_CREDENTIALS), "PPPPP",
    ),
    "root without credentials, by the summary alone": (
        state(ROOT_WITHOUT_MFA, summary=NO_CREDENTIALS), "PPPPP",
    ),
    "root without MFA": (state(ROOT_WITHOUT_MFA, summary=NO_MFA), "FPPPP"),
    "root without MFA, with a password": (state(ROOT_WITH_PASSWORD, summary=NO_MFA), "FPPPP"),
    "root without MFA, by the summary alone": (state(ROOT, summary=NO_MFA), "FPPPP"),
    "root without MFA, by the report alone": (state(ROOT_WITHOUT_MFA), "FPPPP"),
    "root without MFA, nothing said of a password": (
        state(ROOT_WITHOUT_MFA, summary=without(NO_MFA, "AccountPasswordPresent")), "FPPPP",
    ),
    "root without MFA or password, with a key": (
        state(ROOT_WITHOUT_CREDENTIALS, summary={**NO_CREDENTIALS, "AccountAccessKeysPresent": 1}),
        "FFPPP",
    ),
    "root has a key": (
        state(ROOT_WITH_KEY, summary={**SUMMARY, "AccountAccessKeysPresent": 1}), "PFPPP",
    ),
    "root has a key, by the summary alone": (
        state(ROOT, summary={**SUMMARY, "AccountAccessKeysPresent": 1}), "PFPPP",
    ),
    "root has a key, by the report alone": (state(ROOT_WITH_KEY), "PFPPP"),
    "root has an old key": (
        state(row("<root_account>", mfa="true", keys=(("true", ago(200)), ("false", "N/A")))),
        "PFPFP",
    ),
    "a user without MFA": (state(ROOT, ADA_WITHOUT_MFA, BOT), "FPPPP"),
    "a user without MFA, capitals": (state(ROOT, row("ada", password="TRUE", mfa="FALSE")), "FPPPP"),
    "a user without MFA who never signed in": (
        state(ROOT, ADA, row("new", password="true")), "FPFPP",
    ),
    "a console user": (state(ROOT, row("bob", password="true", mfa="true")), "PPFPP"),
    "a user without a password needs no MFA": (state(ROOT, BOT), "PPPPP"),
    "an old key": (state(ROOT, BOT_WITH_OLD_KEY), "PPPFP"),
    "an old key, inactive": (
        state(ROOT, row("bot", keys=(("false", ago(900)), ("false", "N/A")))), "PPPPP",
    ),
    "one of two keys is old": (
        state(ROOT, row("bot", keys=(("true", ago(3)), ("true", ago(400))))), "PPPFP",
    ),
    "last row of many": (
        state(ROOT, *(row(f"u{n}") for n in range(300)), row("z", password="true")), "FPFPP",
    ),
    "no password policy": (state(ROOT, policy=Absent("NoSuchEntity")), "PPPPF"),
    "short passwords": (state(ROOT, policy={**POLICY, "MinimumPasswordLength": 13}), "PPPPF"),
    "reuse": (state(ROOT, policy=without(POLICY, "PasswordReusePrevention")), "PPPPF"),
    "reuse of one is prevented": (
        state(ROOT, policy={**POLICY, "PasswordReusePrevention": 1}), "PPPPP",
    ),
    "policy denied": (state(ROOT, policy=Denied()), "PPPPU"),
    "policy fails": (state(ROOT, policy=Absent("ServiceFailure")), "PPPPU"),
    "policy without a length": (
        state(ROOT, policy=without(POLICY, "MinimumPasswordLength")), "PPPPU",
    ),
    "policy with a word": (state(ROOT, policy={**POLICY, "MinimumPasswordLength": "14"}), "PPPPU"),
    "policy null": (state(ROOT, policy={"PasswordPolicy": None}), "PPPPU"),
    "report on the third asking": (state(ROOT, generated=[STARTED, IN_PROGRESS, COMPLETE]), "PPPPP"),
    "report never made": (state(ROOT, generated=IN_PROGRESS), "UUUUP"),
    "report state null": (state(ROOT, generated={"State": None}), "UUUUP"),
    "generate denied": (state(ROOT, generated=Denied()), "UUUUP"),
    "report denied": (state(ROOT, answer=Denied()), "UUUUP"),
    "report denied, root without MFA": (state(answer=Denied(), summary=NO_MFA), "FUUUP"),
    "report denied, root has a key": (
        state(answer=Denied(), summary={**SUMMARY, "AccountAccessKeysPresent": 1}), "UFUUP",
    ),
    "report gone": (state(ROOT, answer=Absent("ReportNotPresent")), "UUUUP"),
    "report of yesterday": (
        state(ROOT, answer=report(ROOT, made=NOW - timedelta(days=1))), "UUUUP",
    ),
    "report of just now": (
        state(ROOT, answer=report(ROOT, made=NOW + timedelta(seconds=9))), "PPPPP",
    ),
    "report of tomorrow": (state(ROOT, answer=report(ROOT, made=NOW + timedelta(days=1))), "UUUUP"),
    "report without a time": (state(ROOT, answer=report(ROOT, made=None)), "UUUUP"),
    "report of a naive time": (
        state(ROOT, answer=report(ROOT, made=MADE.replace(tzinfo=None))), "UUUUP",
    ),
    "report empty": (state(ROOT, answer=report(content=b"")), "UUUUP"),
    "report without rows": (state(answer=report()), "UUUUP"),
    "report is text": (state(ROOT, answer=report(content="user,arn")), "UUUUP"),
    "report is not UTF-8": (state(ROOT, answer=report(content=b"user,arn\n\xff\xfe")), "UUUUP"),
    "report is of something else": (state(answer=report(content=b"<html>\n</html>")), "UUUUP"),
    "report names a user twice": (state(ROOT, ADA, ADA), "UUUUP"),
    "report without root": (state(ADA), "UUPUP"),
    "row cut off": (state(ROOT, f"bot,{arn('bot')},{ago(9)}"), "UPUUP"),
    "password is a word": (state(ROOT, row("bob", password="perhaps")), "UPUPP"),
    "MFA is N/A": (state(ROOT, row("ada", password="true", mfa="N/A")), "UPPPP"),
    "key active, age unknown": (
        state(ROOT, row("bot", keys=(("true", "N/A"), ("false", "N/A")))), "PPPUP",
    ),
    "key of the future": (
        state(ROOT, row("bot", keys=(("true", ago(-9)), ("false", "N/A")))), "PPPUP",
    ),
    "key with a naive time": (
        state(ROOT, row("bot", keys=(("true", "2026-11-22T00:00:00"), ("false", "N/A")))), "PPPUP",
    ),
    "key is a word": (
        state(ROOT, row("bot", keys=(("yes", ago(1)), ("false", "N/A")))), "PPPUP",
    ),
    "created since the report": (
        state(ROOT, listed=users("new", created=NOW - timedelta(minutes=9))), "UPUUP",
    ),
    "not in the report, though older": (state(ROOT, listed=users("lost")), "UPUUP"),
    "made again since the report": (
        state(ROOT, ADA, listed=users("ada", created=NOW - timedelta(minutes=9))), "UPUUP",
    ),
    "a good one deleted since the report": (state(ROOT, BOT, listed=[]), "PPPPP"),
    "a bad one deleted since the report": (state(ROOT, ADA_WITHOUT_MFA, listed=[]), "UPPPP"),
    "users denied": (state(ROOT, ADA, BOT, listed=Denied()), "UPUUP"),
    "users denied, one without MFA": (state(ROOT, ADA_WITHOUT_MFA, listed=Denied()), "FPUUP"),
    "users null": (state(ROOT, listed={"Users": None}), "UPUUP"),
    "users are words": (state(ROOT, listed=["ada"]), "UPUUP"),
    "user without a date": (state(ROOT, ADA, listed=[{"Arn": arn("ada")}]), "UPUUP"),
    "summary denied": (state(ROOT, summary=Denied()), "UUPPP"),
    "summary null": (state(ROOT, summary={"SummaryMap": None}), "UUPPP"),
    "summary empty": (state(ROOT, summary={}), "UUPPP"),
    "summary with words": (state(ROOT, summary=dict.fromkeys(SUMMARY, "1")), "UUPPP"),
    "summary with booleans": (state(ROOT, summary=dict.fromkeys(SUMMARY, True)), "UUPPP"),
    "summary, password null": (
        state(ROOT_WITHOUT_MFA, summary={**NO_MFA, "AccountPasswordPresent": None}), "UPPPP",
    ),
    "all denied": ({}, "UUUUU"),
}  # fmt: skip
WORDS = {"P": P, "F": F, "U": U}


@pytest.mark.parametrize("name", CASES)
def test_state(name: str) -> None:
    answers, expected = CASES[name]
    assert verdicts(MFA, answers, boundary=BREAK_GLASS) == {
        **{check: WORDS[letter] for check, letter in zip(CHECKS, expected, strict=True)},
        "identity_provider_mfa": U,
    }


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_good_has_a_remedy(name: str) -> None:
    found = findings(MFA, CASES[name][0], boundary=BREAK_GLASS).values()
    assert [o for f in found for o in f.observations if o.status in (F, U) and not o.remedy] == []


def test_it_reads_what_it_says() -> None:
    assert reads(MFA, (answers for answers, _ in CASES.values())) == set(MFA.reads)


def test_nobody_is_a_break_glass_user_unless_named() -> None:
    assert verdicts(MFA, state(ROOT, ADA))["console_users"] == F


def test_every_user_is_counted_and_the_reports_age_is_told() -> None:
    answers = state(ROOT, ADA_WITHOUT_MFA, BOT, listed=users("bot", "new"))
    found = findings(MFA, answers, boundary=BREAK_GLASS)["mfa"]
    assert (found.population, found.observed, found.denied) == (4, 2, 2)
    assert "credential report of 2026-11-22T21:00:05Z" in found.detail
    assert "MFA off" in found.detail and "not listed now" in found.detail


def test_a_failing_user_is_named_with_the_value_that_decided() -> None:
    found = findings(MFA, state(ROOT, BOT_WITH_OLD_KEY))["access_keys"]
    [bad] = [o for o in found.observations if o.status == F]
    assert bad.subject == arn("bot") and "key 2 is 91 days old" in bad.detail


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (None, U),
        ({"start": "2026-11-24", "end": "2027-02-28"}, U),
        ({"start": "2026-11-23", "end": "2027-02-28"}, F),
        ({"start": "2026-05-01", "end": "2026-10-31"}, F),
    ],
    ids=["no period", "not yet due", "due today", "long overdue"],
)
def test_an_attestation_is_due_at_the_periods_start(period: Any, expected: str) -> None:
    boundary = parse({"period": period} if period else {})
    [o] = findings(MFA, {}, boundary=boundary)["identity_provider_mfa"].observations
    assert o.status == expected and o.remedy
    assert period is None or period["start"] in o.detail


def test_the_matrix_says_what_only_people_can_show() -> None:
    manual: Iterable[str] = [r["check"] for r in matrix([MFA]) if r["evidence"] == "manual"]
    assert list(manual) == ["identity_provider_mfa"]


USER = "AWS::IAM::User"
TEMPLATES: dict[str, tuple[dict[str, Any], dict[str, list[str]]]] = {
    "no users": ({}, {"user_has_no_password": [], "no_access_key": []}),
    "a user": (
        {"U": {"Type": USER, "Properties": {"UserName": "bot"}}},
        {"user_has_no_password": [P], "no_access_key": []},
    ),
    "a user with a password": (
        {"U": {"Type": USER, "Properties": {"LoginProfile": {"Password": {"Ref": "P"}}}}},
        {"user_has_no_password": [F], "no_access_key": []},
    ),
    "a key": (
        {"K": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "bot"}}},
        {"user_has_no_password": [], "no_access_key": [F]},
    ),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name: str) -> None:
    resources, expected = TEMPLATES[name]
    assert reviewed(MFA, resources) == expected
