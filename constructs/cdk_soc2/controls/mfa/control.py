"""Control 1: nobody gets into the account with a password or an old key alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cdk_soc2.answers import may, want
from cdk_soc2.context import Context
from cdk_soc2.control import Account, Control, Observed
from cdk_soc2.controls.mfa.report import Report, Row, each_user, read_report, subject
from cdk_soc2.controls.mfa.root import root_keys, root_mfa, root_row

MFA = Control(
    number=1,
    key="mfa",
    name="MFA",
    claim="Nobody signs in with a password alone, and no long-lived key goes unnoticed.",
    criteria=("CC6.1", "CC6.6", "CC3.2"),
    handbook="CC6.6",
    reads=(
        "iam:GenerateCredentialReport",
        "iam:GetAccountPasswordPolicy",
        "iam:GetAccountSummary",
        "iam:GetCredentialReport",
        "iam:ListUsers",
    ),
)

KEY_DAYS = timedelta(days=90)
PASSWORD_LENGTH = 14


@MFA.check(of="users")
def mfa(account: Account, context: Context) -> Iterator[Observed]:
    """Root and every user with a console password have MFA; root without credentials passes."""
    yield root_mfa(account, context)
    report = read_report(account, context)
    yield from each_user(account, report, lambda row: _user_mfa(row, report))


@MFA.check(of="root users")
def root_access_keys(account: Account, context: Context) -> Iterator[Observed]:
    """Root has no access key."""
    yield root_keys(account, context)


@MFA.check(of="users")
def console_users(account: Account, context: Context) -> Iterator[Observed]:
    """No user but the named break-glass users has a console password."""
    allowed = context.boundary.break_glass_users
    report = read_report(account, context)
    seen = list(each_user(account, report, lambda row: _console_user(row, allowed, report)))
    yield from seen or [Observed(True, account.id, f"no IAM user, by the {report}")]


@MFA.check(of="users")
def access_keys(account: Account, context: Context) -> Iterator[Observed]:
    """No active access key is older than 90 days, root's included."""
    report = read_report(account, context)

    def look(row: Row) -> Observed:
        return _keys(row, report, context)

    yield from account.home.each([root_row(report)], subject, look)
    yield from each_user(account, report, look)


@MFA.check(of="password policies")
def password_policy(account: Account, context: Context) -> Iterator[Observed]:
    """IAM passwords have at least 14 characters and cannot be used again."""
    answer = account.home.find("iam", "get_account_password_policy", absent="NoSuchEntity")
    remedy = f"Set an IAM password policy: {PASSWORD_LENGTH} characters or more, no reuse."
    if answer is None:
        yield Observed(False, account.id, "no policy: AWS asks for 8 characters", remedy=remedy)
        return
    policy = want(answer, "PasswordPolicy", dict)
    length = want(policy, "MinimumPasswordLength", int)
    remembered = may(policy, "PasswordReusePrevention", int) or 0
    ok = length >= PASSWORD_LENGTH and remembered >= 1
    detail = f"at least {length} characters, the last {remembered} passwords cannot be reused"
    yield Observed(ok, account.id, detail, remedy=None if ok else remedy)


MFA.document(
    "identity_provider_mfa",
    "The identity provider asks everybody for MFA, by an attestation of the last 92 days.",
    due=lambda period: period.start,
    valid_days=92,
)


def _user_mfa(row: Row, report: Report) -> Observed:
    if not row.flag("password_enabled"):
        return Observed(True, row.arn, f"no console password, by the {report}")
    ok = row.flag("mfa_active")
    remedy = None if ok else "Register an MFA device for the user, or take the password away."
    return Observed(
        ok,
        row.arn,
        f"console password, MFA {'on' if ok else 'off'}, by the {report}",
        remedy=remedy,
    )


def _console_user(row: Row, allowed: tuple[str, ...], report: Report) -> Observed:
    if not row.flag("password_enabled"):
        return Observed(True, row.arn, f"no console password, by the {report}")
    if row.user in allowed:
        return Observed(True, row.arn, "console password of a named break-glass user")
    return Observed(
        False,
        row.arn,
        f"console password, not a break-glass user of the boundary, by the {report}",
        remedy="Let people sign in through the identity provider; delete the user's password.",
    )


def _keys(row: Row, report: Report, context: Context) -> Observed:
    ages = {n: row.age(f"access_key_{n}_last_rotated", context.now) for n in row.active_keys}
    old = any(age > KEY_DAYS for age in ages.values())
    told = ", ".join(f"key {n} is {age.days} days old" for n, age in ages.items())
    return Observed(
        not old,
        row.arn,
        f"{told or 'no active key'}, by the {report}",
        remedy="Replace the key by a role, or rotate it." if old else None,
    )
