"""AWS::SNS::Topic with the encryption key that ministack's drops."""

from emulator.cloudformation.resource_type import Completion, Properties, client

_DROPPED = ("KmsMasterKeyId", "SignatureVersion", "TracingConfig")


def set_attributes(arn: str, old: Properties, new: Properties) -> None:
    api = client("sns")
    for name in _DROPPED:
        if new.get(name) != old.get(name):
            api.set_topic_attributes(
                TopicArn=arn, AttributeName=name, AttributeValue=str(new.get(name, ""))
            )


COMPLETION = Completion("AWS::SNS::Topic", set_attributes)
