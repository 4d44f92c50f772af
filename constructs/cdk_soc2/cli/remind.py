"""Sends one reminder through the topic that alerts go to."""

from __future__ import annotations

import click

from cdk_soc2.cli.errors import CouldNot


def remind(topic: str, subject: str, body: str, profile: str | None) -> None:
    """Publish to the SNS topic of ARN *topic*, in its own region. Raises `CouldNot`."""
    from botocore.exceptions import BotoCoreError, ClientError

    from cdk_soc2.cli.aws import open_session

    parts = topic.split(":")
    if len(parts) != 6 or parts[2] != "sns":
        raise CouldNot(f"--remind {topic!r} is no SNS topic's ARN")
    try:
        client = open_session(profile, parts[3]).client("sns")
        client.publish(TopicArn=topic, Subject=subject, Message=body)
    except (BotoCoreError, ClientError) as error:
        raise CouldNot(f"{topic} did not take the reminder: {error}") from error
    click.echo(f"Sent to {topic}: {subject}", err=True)
