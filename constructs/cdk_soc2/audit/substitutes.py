"""Where else a day might be shown that the daily evidence does not show."""

from __future__ import annotations

MARK = "Reconstructed, marked as such and dated when it is made, never back-dated: "


def _config(what: str) -> str:
    return f"AWS Config's history of {what} (if its recorder was on)"


AWS = (
    f"CloudTrail's log files of those days, {_config('resources')}, and GuardDuty's findings "
    "(kept 90 days), which may show that nothing was changed from the last good day to the next"
)
GITHUB = "the organization's audit log (180 days, Git events 7; Enterprise Cloud has it by API)"

OF_CONTROL = {
    "boundary": "CloudTrail's calls that make ways in (peerings, gateways, network ACLs), "
    f"{_config('networks')}, and the flow logs",
    "mfa": f"CloudTrail's ConsoleLogin events (MFAUsed) and IAM calls, and {_config('IAM users')}",
    "infrastructure_as_code": "CloudTrail's write calls, and CloudFormation's stack events",
    "cloudtrail": "the trail's own files and digest files, which chain without holes, and its calls "
    "StopLogging, UpdateTrail and DeleteTrail",
    "guardduty": "CloudTrail's DeleteDetector and UpdateDetector, GuardDuty's findings (kept 90 "
    f"days), and {_config('detectors')}",
    "vpc_flow_logs": "the flow logs' own records of those days, CloudTrail's DeleteFlowLogs, and "
    f"{_config('flow logs')}",
    "secrets_manager": f"CloudTrail's RotateSecret and RotationSucceeded, and {_config('secrets')}",
    "ebs_encryption": "CloudTrail's DisableEbsEncryptionByDefault, CreateVolume and "
    f"CreateDBInstance, and {_config('volumes')}",
    "s3_block_public_access": "CloudTrail's PutAccountPublicAccessBlock and "
    f"DeleteAccountPublicAccessBlock, and {_config('the account block')}",
    "branch_protection": f"GitHub: {GITHUB}, with its changes of branch protection and rulesets",
    "image_scanning": "the registry's or Inspector's scan results, and the workflow runs that scan",
    "incident_response": "CloudTrail's calls to SNS and EventBridge, and the alerts that people got",
    "access_reviews": "CloudTrail's IAM calls, which show when access was removed",
    "backup_verification": f"the snapshots' and recovery points' own dates, and {_config('databases')}",
    "change_management": "merged pull requests and their reviews, GitHub's audit log, and what Argo "
    "CD's notifications say (its own history keeps ten deployments)",
    "evidence": "CloudTrail's calls on the bucket, and the times at which S3 itself received objects",
}
OF_KIND = {
    "aws": AWS,
    "github": f"GitHub: {GITHUB}; pull requests, reviews and workflow runs",
    "argocd": "the deployments that Argo CD still lists (ten by default), and its notifications",
}


def substitute(control: str | None, source: str | None) -> str:
    """What could show the days of an evidence gap: of *control*, or of all that *source* tells."""
    if control is not None:
        return MARK + OF_CONTROL.get(control, AWS)
    return MARK + OF_KIND.get((source or "aws").partition("-")[0], AWS)
