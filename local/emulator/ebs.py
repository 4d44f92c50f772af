"""EBS encryption by default, per account and region, and its effect on new volumes."""

from collections.abc import Mapping

from emulator.answers import Answer, Scope, scope
from ministack.services import ec2

_on: set[Scope] = set()
_keys: dict[Scope, str] = {}
_AWS_MANAGED = "alias/aws/ebs"


def install() -> None:
    ec2._ACTION_MAP |= {
        "EnableEbsEncryptionByDefault": _enable,
        "DisableEbsEncryptionByDefault": _disable,
        "GetEbsEncryptionByDefault": _get,
        "GetEbsDefaultKmsKeyId": _get_key,
        "ModifyEbsDefaultKmsKeyId": _change_key,
        "ResetEbsDefaultKmsKeyId": _reset_key,
    }
    ministacks_create = ec2._ACTION_MAP["CreateVolume"]

    def create_volume(request: Mapping[str, object]) -> Answer:
        forced = {"Encrypted": ["true"]} if scope() in _on else {}
        return ministacks_create({**request, **forced})

    ec2._ACTION_MAP["CreateVolume"] = create_volume


def _answer(operation: str, element: str, value: str) -> Answer:
    return ec2._xml(200, f"{operation}Response", f"<{element}>{value}</{element}>")


def _enable(_request: object) -> Answer:
    _on.add(scope())
    return _answer("EnableEbsEncryptionByDefault", "ebsEncryptionByDefault", "true")


def _disable(_request: object) -> Answer:
    _on.discard(scope())
    return _answer("DisableEbsEncryptionByDefault", "ebsEncryptionByDefault", "false")


def _get(_request: object) -> Answer:
    is_on = str(scope() in _on).lower()
    return _answer("GetEbsEncryptionByDefault", "ebsEncryptionByDefault", is_on)


def _get_key(_request: object) -> Answer:
    return _answer("GetEbsDefaultKmsKeyId", "kmsKeyId", _keys.get(scope(), _AWS_MANAGED))


def _change_key(request: Mapping[str, object]) -> Answer:
    _keys[scope()] = ec2._p(request, "KmsKeyId")
    return _answer("ModifyEbsDefaultKmsKeyId", "kmsKeyId", _keys[scope()])


def _reset_key(_request: object) -> Answer:
    _keys.pop(scope(), None)
    return _answer("ResetEbsDefaultKmsKeyId", "kmsKeyId", _AWS_MANAGED)
