"""Seconds that the guard adds to the synthesis of an app of 300 resources, in pairs, one after another."""

from __future__ import annotations

import tempfile
import time
from statistics import median

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from cdk_soc2.constructs import Soc2Guard

RESOURCES, ROUNDS = 300, 9


def seconds(guarded: bool) -> float:
    """Of the synthesis alone; to build the app takes the same with and without."""
    with tempfile.TemporaryDirectory() as out:
        app = cdk.App(outdir=out, builtin_cloud_formation_validation=False)
        stack = cdk.Stack(app, "S")
        for n in range(RESOURCES // 3):
            queue = sqs.Queue(stack, f"Queue{n}", enforce_ssl=False)
            role = iam.CfnRole(stack, f"Role{n}", assume_role_policy_document=trust())
            lambda_.CfnFunction(
                stack,
                f"Function{n}",
                runtime="python3.13",
                handler="index.handler",
                code={"zipFile": "def handler(event, context): ..."},
                role=role.attr_arn,
                environment={"variables": {"QUEUE": queue.queue_url}},
            )
        if guarded:
            Soc2Guard.add_to(app)
        began = time.perf_counter()
        app.synth()
        return time.perf_counter() - began


def trust() -> dict[str, object]:
    service = {"Service": "lambda.amazonaws.com"}
    return {"Statement": [{"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}]}


def main() -> None:
    seconds(guarded=True)  # the first one loads what all share
    pairs = [(seconds(guarded=True), seconds(guarded=False)) for _ in range(ROUNDS)]
    added, ratio = median(a - b for a, b in pairs), median(a / b for a, b in pairs)
    print(f"guard on {RESOURCES} resources: {added:.3f} s more, {ratio:.2f}x the synth without")


if __name__ == "__main__":
    main()
