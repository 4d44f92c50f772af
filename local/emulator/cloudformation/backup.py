"""AWS Backup: selections, restore testing, and the vault's lock, which ministack drops."""

from emulator.cloudformation.resource_type import (
    Completion,
    Created,
    Properties,
    ResourceType,
    arguments,
    client,
    without,
)


def create_selection(_logical: str, properties: Properties, _stack: str) -> Created:
    api = client("backup")
    made = api.create_backup_selection(**arguments(api, "CreateBackupSelection", properties))
    attributes = {"SelectionId": made["SelectionId"], "BackupPlanId": properties["BackupPlanId"]}
    return made["SelectionId"], attributes


def delete_selection(physical: str, properties: Properties) -> None:
    client("backup").delete_backup_selection(
        BackupPlanId=properties["BackupPlanId"], SelectionId=physical
    )


def create_testing_plan(_logical: str, properties: Properties, _stack: str) -> Created:
    api = client("backup")
    plan = {"RestoreTestingPlan": without(properties, "Tags")}
    made = api.create_restore_testing_plan(**arguments(api, "CreateRestoreTestingPlan", plan))
    return made["RestoreTestingPlanName"], {"RestoreTestingPlanArn": made["RestoreTestingPlanArn"]}


def update_testing_plan(physical: str, _old: Properties, new: Properties) -> Created:
    api = client("backup")
    plan = {"RestoreTestingPlan": without(new, "RestoreTestingPlanName", "Tags")}
    made = api.update_restore_testing_plan(
        **arguments(api, "UpdateRestoreTestingPlan", plan, RestoreTestingPlanName=physical)
    )
    return physical, {"RestoreTestingPlanArn": made["RestoreTestingPlanArn"]}


def delete_testing_plan(physical: str, _properties: Properties) -> None:
    client("backup").delete_restore_testing_plan(RestoreTestingPlanName=physical)


def create_testing_selection(_logical: str, properties: Properties, _stack: str) -> Created:
    api = client("backup")
    plan = properties["RestoreTestingPlanName"]
    selection = {"RestoreTestingSelection": without(properties, "RestoreTestingPlanName")}
    api.create_restore_testing_selection(
        **arguments(api, "CreateRestoreTestingSelection", selection, RestoreTestingPlanName=plan)
    )
    return properties["RestoreTestingSelectionName"], {}


def delete_testing_selection(physical: str, properties: Properties) -> None:
    client("backup").delete_restore_testing_selection(
        RestoreTestingPlanName=properties["RestoreTestingPlanName"],
        RestoreTestingSelectionName=physical,
    )


def lock_vault(name: str, old: Properties, new: Properties) -> None:
    api = client("backup")
    lock = new.get("LockConfiguration")
    if lock:
        api.put_backup_vault_lock_configuration(
            **arguments(api, "PutBackupVaultLockConfiguration", lock, BackupVaultName=name)
        )
    elif old.get("LockConfiguration"):
        api.delete_backup_vault_lock_configuration(BackupVaultName=name)


TYPES = (
    ResourceType("AWS::Backup::BackupSelection", create_selection, delete_selection),
    ResourceType(
        "AWS::Backup::RestoreTestingPlan",
        create_testing_plan,
        delete_testing_plan,
        update_testing_plan,
        replaced_by=("RestoreTestingPlanName",),
    ),
    ResourceType(
        "AWS::Backup::RestoreTestingSelection", create_testing_selection, delete_testing_selection
    ),
)
VAULT = Completion("AWS::Backup::BackupVault", lock_vault)
