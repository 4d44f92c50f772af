"""AWS::Lambda::Function with the reserved concurrency that ministack's drops."""

from emulator.cloudformation.resource_type import Completion, Properties, client

_PROPERTY = "ReservedConcurrentExecutions"


def reserve(name: str, old: Properties, new: Properties) -> None:
    api = client("lambda")
    if _PROPERTY in new:
        api.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=int(new[_PROPERTY])
        )
    elif _PROPERTY in old:
        api.delete_function_concurrency(FunctionName=name)


COMPLETION = Completion("AWS::Lambda::Function", reserve)
