"""AWS Backup: ministack's, with the restore testing plans and the vault lock that it lacks.

A stub: plans and selections are kept and shown; no restore test ever starts. A vault lock is
recorded and shown, and nothing is refused because of it.
"""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from emulator.answers import Answer, Parameters, Scope, as_json, error, scope
from ministack.services import backup as ministacks

_plans: dict[Scope, dict[str, dict[str, Any]]] = {}
_selections: dict[Scope, dict[tuple[str, str], dict[str, Any]]] = {}
_locks: dict[Scope, dict[str, dict[str, Any]]] = {}


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Parameters
) -> Answer:
    parts = [unquote(part) for part in path.strip("/").split("/")]
    request = json.loads(body or b"{}")
    match parts:
        case ["restore-testing", "plans"]:
            return _create_plan(request) if method == "PUT" else _list_plans()
        case ["restore-testing", "plans", name]:
            return _one_plan(method, name, request)
        case ["restore-testing", "plans", plan, "selections"]:
            if method == "PUT":
                return _put_selection(plan, request)
            mine = [kept for (of, _), kept in _selections.get(scope(), {}).items() if of == plan]
            return as_json({"RestoreTestingSelections": mine})
        case ["restore-testing", "plans", plan, "selections", name]:
            return _one_selection(method, plan, name, request)
        case ["backup-vaults", name, "vault-lock"]:
            return _lock(method, name, request)
        case ["backup-vaults", name] if method == "GET":
            return _with_lock(
                name, await ministacks.handle_request(method, path, headers, body, query)
            )
        case _:
            return await ministacks.handle_request(method, path, headers, body, query)


def _missing(what: str) -> Answer:
    return error("ResourceNotFoundException", f"the {what} does not exist", 404)


def _create_plan(request: dict[str, Any]) -> Answer:
    plan, (account, region) = request["RestoreTestingPlan"], scope()
    name = plan["RestoreTestingPlanName"]
    plans = _plans.setdefault(scope(), {})
    if name in plans:
        return error("AlreadyExistsException", f"a restore testing plan {name!r} exists already")
    arn = f"arn:aws:backup:{region}:{account}:restore-testing-plan:{name}"
    plans[name] = plan | {"RestoreTestingPlanArn": arn, "CreationTime": time.time()}
    return as_json(_receipt(plans[name]), 201)


def _receipt(plan: dict[str, Any]) -> dict[str, Any]:
    keys = ("RestoreTestingPlanArn", "RestoreTestingPlanName", "CreationTime")
    return {key: plan[key] for key in keys} | {"UpdateTime": time.time()}


def _list_plans() -> Answer:
    plans = _plans.get(scope(), {}).values()
    hidden = {"RecoveryPointSelection"}
    return as_json(
        {
            "RestoreTestingPlans": [
                {key: value for key, value in plan.items() if key not in hidden} for plan in plans
            ]
        }
    )


def _one_plan(method: str, name: str, request: dict[str, Any]) -> Answer:
    plans = _plans.get(scope(), {})
    if name not in plans:
        return _missing(f"restore testing plan {name!r}")
    if method == "GET":
        return as_json({"RestoreTestingPlan": plans[name]})
    if method == "PUT":
        plans[name] |= request["RestoreTestingPlan"]
        return as_json(_receipt(plans[name]))
    del plans[name]
    return 204, {}, b""


def _put_selection(plan: str, request: dict[str, Any]) -> Answer:
    if plan not in _plans.get(scope(), {}):
        return _missing(f"restore testing plan {plan!r}")
    selection = request["RestoreTestingSelection"] | {
        "RestoreTestingPlanName": plan,
        "CreationTime": time.time(),
    }
    name = selection["RestoreTestingSelectionName"]
    _selections.setdefault(scope(), {})[plan, name] = selection
    return as_json(_selection_receipt(plan, selection), 201)


def _selection_receipt(plan: str, selection: dict[str, Any]) -> dict[str, Any]:
    arn = _plans[scope()][plan]["RestoreTestingPlanArn"]
    keys = ("RestoreTestingPlanName", "RestoreTestingSelectionName", "CreationTime")
    return {key: selection[key] for key in keys} | {
        "RestoreTestingPlanArn": arn,
        "UpdateTime": time.time(),
    }


def _one_selection(method: str, plan: str, name: str, request: dict[str, Any]) -> Answer:
    selections = _selections.get(scope(), {})
    if (plan, name) not in selections:
        return _missing(f"selection {name!r} of the restore testing plan {plan!r}")
    if method == "GET":
        return as_json({"RestoreTestingSelection": selections[plan, name]})
    if method == "PUT":
        selections[plan, name] |= request["RestoreTestingSelection"]
        return as_json(_selection_receipt(plan, selections[plan, name]))
    del selections[plan, name]
    return 204, {}, b""


def _lock(method: str, vault: str, request: dict[str, Any]) -> Answer:
    if vault not in ministacks._vaults:
        return _missing(f"backup vault {vault!r}")
    locks = _locks.setdefault(scope(), {})
    if method == "DELETE":
        locks.pop(vault, None)
    else:
        keys = ("MinRetentionDays", "MaxRetentionDays")
        locks[vault] = {key: request[key] for key in keys if key in request}
        if "ChangeableForDays" in request:
            locks[vault]["LockDate"] = time.time() + int(request["ChangeableForDays"]) * 86400
    return 200, {}, b""


def _with_lock(vault: str, answer: Answer) -> Answer:
    lock = _locks.get(scope(), {}).get(vault)
    if answer[0] != 200 or lock is None:
        return answer
    return as_json(json.loads(answer[2]) | lock | {"Locked": True})
