"""The root user, by both who know: the account's summary, of now, and the credential report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cdk_soc2.answers import want
from cdk_soc2.context import Context
from cdk_soc2.control import Account, Observed
from cdk_soc2.controls.mfa.report import Report, Row, read_report

ROOT_USER = "root user"
MFA_REMEDY = (
    "Register an MFA device for root, or remove root's credentials by central root access; "
    "then run again when the credential report is four hours old."
)
KEYS_REMEDY = "Delete root's access keys; inactive ones can be activated again."


def root_row(report: Report) -> Row:
    """Root's row; where there is none, an empty one, which answers no question."""
    return report.root or Row({"user": ROOT_USER, "arn": ROOT_USER})


def root_mfa(account: Account, context: Context) -> Observed:
    """Has root MFA, or no credentials at all?"""

    def by_summary() -> Observed:
        summary = _summary(account)
        return _mfa(
            on=want(summary, "AccountMFAEnabled", int) == 1,
            password=_password(summary),
            key=want(summary, "AccountAccessKeysPresent", int) > 0,
            source="GetAccountSummary",
        )

    def by_report() -> Observed:
        report = read_report(account, context)
        row = root_row(report)
        # The report may leave root's password open; the summary then knows it.
        known = row.text("password_enabled").lower() != "not_supported"
        return _mfa(
            on=row.flag("mfa_active"),
            password=row.flag("password_enabled") if known else _password(_summary(account)),
            key=bool(row.active_keys),
            source=str(report),
        )

    return _both(account, by_summary, by_report)


def root_keys(account: Account, context: Context) -> Observed:
    """Has root no access key?"""

    def by_summary() -> Observed:
        keys = want(_summary(account), "AccountAccessKeysPresent", int)
        return _keys(keys == 0, f"AccountAccessKeysPresent is {keys}")

    def by_report() -> Observed:
        report = read_report(account, context)
        keys = len(root_row(report).active_keys)
        return _keys(keys == 0, f"{keys} active by the {report}")

    return _both(account, by_summary, by_report)


def _both(account: Account, *looks: Callable[[], Observed]) -> Observed:
    """Both must say that it is well; one that says it is not decides."""
    seen = list(account.home.each(looks, lambda _: ROOT_USER, lambda look: look()))
    oks = {o.ok for o in seen}
    ok = False if False in oks else None if None in oks else True
    return Observed(
        ok,
        ROOT_USER,
        "; ".join(o.detail for o in seen),
        remedy=next((o.remedy for o in seen if o.ok is ok), None),
    )


def _mfa(*, on: bool, password: bool, key: bool, source: str) -> Observed:
    ok = on or not (password or key)
    has = [name for name, there in (("a password", password), ("an access key", key)) if there]
    told = f"MFA {'on' if on else 'off'}, {' and '.join(has) or 'no credentials'} by {source}"
    return Observed(ok, ROOT_USER, told, remedy=None if ok else MFA_REMEDY)


def _keys(ok: bool, told: str) -> Observed:
    return Observed(ok, ROOT_USER, told, remedy=None if ok else KEYS_REMEDY)


def _password(summary: Mapping[str, Any]) -> bool:
    """Root has a password, unless the account says that it has none."""
    name = "AccountPasswordPresent"
    return name not in summary or want(summary, name, int) > 0


def _summary(account: Account) -> Mapping[str, Any]:
    return want(account.home.read("iam", "get_account_summary"), "SummaryMap", dict)
