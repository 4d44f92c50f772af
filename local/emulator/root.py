"""The account's root user, as in a member account of an organization that manages root centrally.

A stub: root has no password, no keys and no device, and nothing can give it any.
"""

from emulator.answers import Answer
from ministack.services import iam


def install() -> None:
    ministacks_summary = iam._IAM_HANDLERS["GetAccountSummary"]

    def summary(request: object) -> Answer:
        status, headers, body = ministacks_summary(request)
        text = body.decode() if isinstance(body, bytes) else body
        # ministack counts any user's device as root's, and says nothing of root's password.
        for value in "01":
            text = text.replace(
                f"<key>AccountMFAEnabled</key><value>{value}</value>",
                "<key>AccountMFAEnabled</key><value>0</value></entry>"
                "<entry><key>AccountPasswordPresent</key><value>0</value>",
            )
            if "AccountPasswordPresent" in text:
                break
        return status, headers, text.encode()

    iam._IAM_HANDLERS["GetAccountSummary"] = summary
