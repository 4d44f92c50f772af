"""Refuses to start on a ministack whose private parts are not the ones this package extends."""

from collections.abc import Callable, Iterator
from importlib import import_module, metadata

VERSION = "1.5.33"
USED: dict[str, tuple[str, ...]] = {
    "ministack.app": (
        "SERVICE_HANDLERS",
        "_ct_request_params",
        "_ct_resources",
        "_enforce_data_plane",
        "_handle_s3_control_request",
        "_maybe_record_cloudtrail",
        "_routing_params",
        "detect_service",
        "extract_access_key_id",
        "main",
    ),
    "ministack.core.iam_actions": (
        "SERVICE_TO_IAM_NAMESPACE",
        "_BOTOCORE_SERVICE_MAP",
        "extract_iam_action",
        "extract_resource_arn",
        "s3_additional_checks",
    ),
    "ministack.core.iam_evaluator": (
        "_resolve_condition_key",
        "_role_name_from_assumed_arn",
        "request_caller_arn",
    ),
    "ministack.core.responses": (
        "get_account_id",
        "get_region",
        "set_request_account_id",
        "set_request_region",
    ),
    "ministack.services.backup": ("_vaults", "handle_request"),
    "ministack.services.cloudformation.provisioners": (
        "_REPLACING_PROPERTIES",
        "_RESOURCE_HANDLERS",
        "_cw_metric_alarm_record",
        "_physical_name",
        "_replace_resource",
    ),
    "ministack.services.cloudformation.stacks": ("_runs_on_worker_thread",),
    "ministack.services.cloudtrail": (
        "_DISPATCH",
        "_find_visible_trail",
        "_get_event_queue",
        "_get_trail_status",
        "_visible_trail_items",
        "record_event",
    ),
    "ministack.services.cloudwatch": (
        "_alarms",
        "_calc_stats",
        "_dims_key",
        "_dispatch_alarm_actions",
        "_evaluate_alarm",
        "_evaluate_parent_alarms",
        "_metrics",
        "_record_history",
        "_stat_value",
        "record_metric",
    ),
    "ministack.services.cloudwatch_logs": (
        "_fanout_to_subscription_filters",
        "_metric_filters",
        "_subscription_pattern_matches",
    ),
    "ministack.services.config": ("_delivery_channels", "_recorders", "handle_request"),
    "ministack.services.ec2": (
        "_ACTION_MAP",
        "_AWS_REGIONS",
        "_error",
        "_flow_logs",
        "_network_acls",
        "_p",
        "_parse_filters",
        "_parse_member_list",
        "_parse_tag_specs",
        "_resource_matches_tag_filters",
        "_subnets",
        "_tag_set_xml",
        "_xml",
    ),
    "ministack.services.ecr": ("handle_request",),
    "ministack.services.eventbridge": (
        "_dispatch_event",
        "_matches_pattern_view",
        "_pattern_event_view",
        "_put_events",
        "_rules",
        "_targets",
    ),
    "ministack.services.iam": ("_IAM_HANDLERS", "_roles"),
    "ministack.services.s3": (
        "_bucket_object_lock",
        "_bucket_owner_account",
        "_bucket_policies",
        "_error",
        "_put_bucket_versioning",
        "_put_object",
        "_resolve_object_checksums",
        "_resolve_sse_write_headers",
    ),
    "ministack.services.secretsmanager": (
        "_describe_secret",
        "_list_secrets",
        "_resolve",
        "_rotate_secret",
        "handle_request",
    ),
}


class UnknownMinistackError(RuntimeError):
    """The installed ministack is not the one this package was written against."""


def require(
    version: Callable[[str], str] = metadata.version,
    load: Callable[[str], object] = import_module,
) -> None:
    """Raise `UnknownMinistackError`, naming what differs, unless all is as it was written for."""
    installed = version("ministack")
    if installed != VERSION:
        raise UnknownMinistackError(
            f"ministack {installed} is installed, but the local AWS extends private parts of "
            f"{VERSION}: install local/requirements.txt, or review emulator/ and change VERSION"
        )
    gone = list(_missing(load))
    if gone:
        raise UnknownMinistackError(
            f"ministack {installed} lacks {', '.join(gone)}, which the local AWS extends: "
            "reinstall local/requirements.txt"
        )


def _missing(load: Callable[[str], object]) -> Iterator[str]:
    for module, names in USED.items():
        try:
            loaded = load(module)
        except ImportError:
            yield module
            continue
        yield from (f"{module}.{name}" for name in names if not hasattr(loaded, name))
