"""Control 13: is every database backed up, and was a restore tried?"""

from datetime import timedelta
from typing import Any

import pytest

from cdk_soc2.boundary import Boundary, parse
from cdk_soc2.controls.backup_verification import BACKUP_VERIFICATION
from tests.controls.states import findings, reads, reviewed, verdicts
from tests.fakes import ACCOUNT, NOW, Denied

P, F, U, N = "PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"
REGIONS = ("eu-west-1", "us-east-1")
INSTANCES, CLUSTERS = ("rds", "describe_db_instances"), ("rds", "describe_db_clusters")
JOBS = ("backup", "list_restore_jobs")
ARN = f"arn:aws:rds:us-east-1:{ACCOUNT}"
PLAN = f"arn:aws:backup:us-east-1:{ACCOUNT}:restore-testing-plan:quarterly"


def ago(days: float) -> Any:
    return NOW - timedelta(days=days)


def clean(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not ...}


def instance(id: str = "db", days: Any = 7, **changed: Any) -> dict[str, Any]:
    told = {
        "DBInstanceIdentifier": id,
        "DBInstanceArn": f"{ARN}:db:{id}",
        "Engine": "postgres",
        "BackupRetentionPeriod": days,
        "StorageEncrypted": True,  # so that other controls find this state good, too
        "LatestRestorableTime": ago(0.01),
    }
    return clean({**told, **changed})


def cluster(id: str = "c", days: Any = 7, **changed: Any) -> dict[str, Any]:
    told = {
        "DBClusterIdentifier": id,
        "DBClusterArn": f"{ARN}:cluster:{id}",
        "Engine": "aurora-postgresql",
        "BackupRetentionPeriod": days,
        "StorageEncrypted": True,  # so that other controls find this state good, too
        "LatestRestorableTime": ago(0.01),
    }
    return clean({**told, **changed})


def job(
    id: str = "j", validation: Any = "SUCCESSFUL", *, age: float = 10, **changed: Any
) -> dict[str, Any]:
    told = {
        "RestoreJobId": id,
        "AccountId": ACCOUNT,
        "Status": "COMPLETED",
        "ValidationStatus": validation,
        "CreationDate": ago(age + 0.1),
        "CompletionDate": ago(age),
        "SourceResourceArn": f"{ARN}:db:db",
        "CreatedBy": {"RestoreTestingPlanArn": PLAN},
    }
    return clean({**told, **changed})


JOB = job()


def state(
    *, instances: Any = (), clusters: Any = (), jobs: Any = (JOB,)
) -> dict[tuple[str, ...], Any]:
    return {
        INSTANCES: {"DBInstances": list(instances)} if isinstance(instances, tuple) else instances,
        CLUSTERS: {"DBClusters": list(clusters)} if isinstance(clusters, tuple) else clusters,
        JOBS: {"RestoreJobs": list(jobs)} if isinstance(jobs, tuple) else jobs,
    }


def of(source: str, **more: Any) -> dict[str, Any]:
    return {"ReadReplicaSourceDBInstanceIdentifier": source, **more}


TOKYO = f"arn:aws:rds:ap-northeast-1:{ACCOUNT}:db:db"
DATABASES: dict[str, tuple[dict[tuple[str, ...], Any], str]] = {
    "good": (state(instances=(instance(),), clusters=(cluster(),)), P),
    "none": (state(), N),
    "an instance": (state(instances=(instance(),)), P),
    "one day": (state(instances=(instance(days=1),)), P),
    "an instance without": (state(instances=(instance(days=0, LatestRestorableTime=...),)), F),
    "one of two without": (state(instances=(instance(), instance("b", 0))), F),
    "last of many": (
        state(instances=(*(instance(f"d{n}") for n in range(300)), instance("z", 0))), F,
    ),
    "without, in one region": (
        state(instances=(instance(),))
        | {("eu-west-1", *INSTANCES): {"DBInstances": [instance("e", 0)]}}, F,
    ),
    "none in one region": (
        state(instances=(instance(),)) | {("eu-west-1", *INSTANCES): {"DBInstances": []}}, P,
    ),
    "a cluster": (state(clusters=(cluster(),)), P),
    "a cluster without": (state(clusters=(cluster(days=0),)), F),
    "a DocumentDB cluster": (state(clusters=(cluster(Engine="docdb"),)), P),
    "a Neptune cluster without": (state(clusters=(cluster(days=0, Engine="neptune"),)), F),
    "a member": (
        state(instances=(instance("m", 0, DBClusterIdentifier="c"),), clusters=(cluster(),)), P,
    ),
    "a member of one without": (
        state(instances=(instance("m", 7, DBClusterIdentifier="c"),),
              clusters=(cluster(days=0),)), F,
    ),
    "a member of one that is not listed": (
        state(instances=(instance("m", 0, DBClusterIdentifier="gone"),)), F,
    ),
    "a replica": (state(instances=(instance(), instance("r", 0, **of("db")))), P),
    "a replica of one without": (state(instances=(instance(days=0), instance("r", **of("db")))), F),
    "a replica of one that is gone": (state(instances=(instance("r", 0, **of("db")),)), F),
    "a replica of nothing": (state(instances=(instance(days=0, **of("")),)), F),
    "a replica of one elsewhere": (state(instances=(instance("r", 0, **of(TOKYO)),)), N),
    "a replica of one in another account": (
        state(instances=(instance("r", 7, **of(TOKYO.replace(ACCOUNT, "210987654321"))),)), U,
    ),
    "a replica by its arn": (
        state(instances=(instance(), instance("r", 0, **of(f"{ARN}:db:db")))), P,
    ),
    "a replica by an arn that is gone": (
        state(instances=(instance("r", 0, **of(f"{ARN}:db:gone")),)), F,
    ),
    "a replica of no arn": (state(instances=(instance("r", 0, **of("arn:")),)), U),
    "a replica of a cluster": (
        state(instances=(instance("r", 0, ReadReplicaSourceDBClusterIdentifier="c"),),
              clusters=(cluster(),)), P,
    ),
    "a cluster of a cluster": (
        state(clusters=(cluster(), cluster("r", 0, ReplicationSourceIdentifier=f"{ARN}:cluster:c"))),
        P,
    ),
    "a source with replicas": (
        state(instances=(instance(days=0, ReadReplicaDBInstanceIdentifiers=["r"]),
                         instance("r", 7, **of("db")))), F,
    ),
    "no restorable time yet": (state(instances=(instance(LatestRestorableTime=...),)), P),
    "backups stand still": (state(instances=(instance(LatestRestorableTime=ago(9)),)), U),
    "backups stood still for a while": (state(instances=(instance(LatestRestorableTime=ago(5)),)), P),
    "days null": (state(instances=(instance(days=None),)), U),
    "days a word": (state(instances=(instance(days="7"),)), U),
    "days true": (state(instances=(instance(days=True),)), U),
    "days negative": (state(instances=(instance(days=-1),)), U),
    "days missing": (state(clusters=(cluster(BackupRetentionPeriod=...),)), U),
    "a restorable word": (state(instances=(instance(LatestRestorableTime="now"),)), U),
    "no name": (state(instances=({"BackupRetentionPeriod": 7},)), U),
    "days null, another without": (state(instances=(instance(days=None), instance("b", 0))), F),
    "instances denied": (state(instances=Denied()), U),
    "clusters denied": (state(instances=(instance(),), clusters=Denied()), U),
    "clusters denied, an instance without": (
        state(instances=(instance(days=0),), clusters=Denied()), F,
    ),
    "denied in one region": (
        state(instances=(instance(),)) | {("eu-west-1", *INSTANCES): Denied()}, U,
    ),
    "instances null": (state(instances={"DBInstances": None}), U),
    "instances are words": (state(instances=("db",)), U),
    "clusters null": (state(clusters={"DBClusters": None}), U),
    "nothing is answered": ({JOBS: {"RestoreJobs": [job()]}}, U),
}  # fmt: skip

PERIOD = parse({"period": {"start": "2026-09-01", "end": "2026-11-30"}})  # due on 2026-12-02
DUE = parse({"period": {"start": "2026-08-01", "end": "2026-11-30"}})  # due on 2026-11-01
ELSEWHERE = ("eu-west-1", *JOBS)
NO_JOBS = {"RestoreJobs": list[Any]()}

TESTS: dict[str, tuple[Any, str, str, str]] = {
    # name: (jobs, or answers; without a period, not yet due, due)
    "good": (job(), P, P, P),
    "none": ((), U, U, F),
    "91 days ago": (job(age=91), P, P, P),
    "93 days ago": (job(age=93), F, F, F),
    "a year ago": (job(age=360), F, F, F),
    "validated by no plan": (job(CreatedBy=...), P, P, P),
    "restored, not validated": (job(validation=...), U, U, F),
    "being validated": (job(validation="VALIDATING"), U, U, F),
    "running": (job(validation=..., Status="RUNNING", CompletionDate=...), U, U, F),
    "validation failed": (job(validation="FAILED"), F, F, F),
    "validation timed out": (job(validation="TIMED_OUT"), F, F, F),
    "the restore failed": (job(validation=..., Status="FAILED"), F, F, F),
    "the restore was aborted": (
        job(validation=..., Status="ABORTED", CompletionDate=...), F, F, F,
    ),
    "a restore of nobody's plan failed": (
        (job(), job("k", validation=..., Status="FAILED", CreatedBy=..., age=1)), P, P, P,
    ),
    "failed since": ((job(), job("k", "FAILED", age=5)), F, F, F),
    "timed out since": ((job(), job("k", "TIMED_OUT", age=5)), F, F, F),
    "failed before": ((job("k", "FAILED", age=50), job()), P, P, P),
    "failed before, told later": ((job(), job("k", "FAILED", age=50)), P, P, P),
    "failed long ago": (job(validation="FAILED", age=120), U, U, F),
    "of another resource failed": (
        (job("k", "FAILED", age=10.01, SourceResourceArn="arn:x"), job()), F, F, F,
    ),
    "of another resource failed long ago": (
        (job("k", "FAILED", age=120, SourceResourceArn="arn:x"), job()), P, P, P,
    ),
    "of resources without a name": (
        (job("k", "FAILED", age=50, SourceResourceArn=...), job(SourceResourceArn=...)), P, P, P,
    ),
    "not validated since": ((job(), job("k", validation=..., age=1)), P, P, P),
    "of another account": (job(AccountId="210987654321"), U, U, F),
    "in one region": ({JOBS: {"RestoreJobs": [job()]}, ELSEWHERE: NO_JOBS}, P, P, P),
    "failed in another region": (
        {JOBS: {"RestoreJobs": [job()]},
         ELSEWHERE: {"RestoreJobs": [job("k", "FAILED", SourceResourceArn="arn:e")]}}, F, F, F,
    ),
    "denied": ({}, U, U, U),
    "denied in one region": ({JOBS: {"RestoreJobs": [job()]}, ELSEWHERE: Denied()}, U, U, U),
    "none, denied in one region": ({JOBS: NO_JOBS, ELSEWHERE: Denied()}, U, U, U),
    "failed, denied in one region": (
        {JOBS: {"RestoreJobs": [job(validation="FAILED")]}, ELSEWHERE: Denied()}, F, F, F,
    ),
    "null": ({JOBS: {"RestoreJobs": None}}, U, U, U),
    "words": (("j",), U, U, U),
    "no id": (job(RestoreJobId=...), U, U, U),
    "no status": (job(Status=None), U, U, U),
    "another status": (job(Status="completed"), U, U, U),
    "another validation": (job(validation="successful"), U, U, U),
    "validation is true": (job(validation=True), U, U, U),
    "validated, but not completed": (job(Status="RUNNING"), U, U, F),
    "at no time": (job(CompletionDate=...), U, U, U),
    "at a word": (job(CompletionDate="2026-11-01"), U, U, U),
    "tomorrow": (job(age=-1), U, U, U),
}  # fmt: skip
# What other modules take for a compliant account; the second is what the checks say of it.
STATES = {"good": (DATABASES["good"][0], {"backups": P, "restore_test": P})}


def answers_of(name: str) -> dict[tuple[str, ...], Any]:
    given = TESTS[name][0]
    if isinstance(given, dict) and "RestoreJobId" not in given and "ValidationStatus" not in given:
        return state() | {JOBS: Denied()} | given
    return state(jobs=given if isinstance(given, tuple) else (given,))


@pytest.mark.parametrize("name", DATABASES)
def test_databases(name: str) -> None:
    answers, expected = DATABASES[name]
    assert verdicts(BACKUP_VERIFICATION, answers, regions=REGIONS) == {
        "backups": expected,
        "restore_test": P,
    }


@pytest.mark.parametrize("name", TESTS)
@pytest.mark.parametrize(
    ("boundary", "column"), [(None, 1), (PERIOD, 2), (DUE, 3)], ids=["no period", "not due", "due"]
)
def test_restore_tests(name: str, boundary: Boundary | None, column: int) -> None:
    found = verdicts(BACKUP_VERIFICATION, answers_of(name), regions=REGIONS, boundary=boundary)
    assert found == {"backups": N, "restore_test": TESTS[name][column]}


def test_what_is_not_good_has_a_remedy() -> None:
    for answers in (*(a for a, _ in DATABASES.values()), *map(answers_of, TESTS)):
        for boundary in (None, PERIOD, DUE):
            found = findings(BACKUP_VERIFICATION, answers, regions=REGIONS, boundary=boundary)
            bad = [o for f in found.values() for o in f.observations if o.status in (F, U)]
            assert [o for o in bad if not o.remedy] == []


def test_it_reads_what_it_says() -> None:
    states = [answers for answers, _ in DATABASES.values()]
    assert reads(BACKUP_VERIFICATION, states) == set(BACKUP_VERIFICATION.reads)


@pytest.mark.parametrize(("listed", "expected"), [(["us-east-1"], U), (["ap-northeast-1"], N)])
def test_a_replica_of_what_nobody_looks_at_is_not_seen(listed: list[str], expected: str) -> None:
    answers, boundary = (
        state(instances=(instance("r", 7, **of(TOKYO)),)),
        parse({"regions": listed}),
    )
    assert verdicts(BACKUP_VERIFICATION, answers, boundary=boundary)["backups"] == expected


def test_the_days_and_the_latest_time_are_told() -> None:
    found = findings(BACKUP_VERIFICATION, state(instances=(instance(),)))["backups"]
    assert "postgres, automated backups kept 7 days, restorable to 2026-11-22T23:45" in found.detail


def test_members_and_replicas_are_named() -> None:
    instances = (
        instance(),
        instance("r", 0, **of("db")),
        instance("m", 0, DBClusterIdentifier="c"),
    )
    answers = state(instances=instances, clusters=(cluster(),))
    found = findings(BACKUP_VERIFICATION, answers)["backups"]
    assert (found.population, found.observed) == (4, 2)
    assert [(e.subject, e.reason) for e in found.exclusions] == [
        (f"{ARN}:db:r", "a replica, judged at its source db"),
        (f"{ARN}:db:m", "judged at its cluster c"),
    ]


def test_the_job_and_its_time_are_told() -> None:
    found = findings(BACKUP_VERIFICATION, state())["restore_test"]
    assert "restore job j of 2026-11-13T00:00:05Z COMPLETED, validation SUCCESSFUL" in found.detail


@pytest.mark.parametrize(
    ("boundary", "jobs", "told"),
    [
        (None, (), "the boundary states no period"),
        (PERIOD, (), "it is due on 2026-12-02, the period began on 2026-09-01"),
        (DUE, (), "it was due on 2026-11-01"),
        (PERIOD, (job(age=93),), "it was due on 2026-11-22, the last one was restore job j"),
        (PERIOD, (job(validation=...),), "; 1 restore jobs without a result"),
    ],
)
def test_when_it_is_due_is_told(boundary: Boundary | None, jobs: Any, told: str) -> None:
    found = findings(BACKUP_VERIFICATION, state(jobs=jobs), boundary=boundary)["restore_test"]
    assert told in found.detail


@pytest.mark.parametrize("value", [None, "x", 7, [], {}, True, ...], ids=repr)
@pytest.mark.parametrize("field", job())
def test_no_spoilt_field_makes_a_failed_test_pass(field: str, value: Any) -> None:
    spoilt = job(**{"validation": "FAILED", field: value})
    if field == "ValidationStatus":
        spoilt = clean({**job(validation="FAILED"), field: value})
    assert verdicts(BACKUP_VERIFICATION, state(jobs=(spoilt,)))["restore_test"] != P


@pytest.mark.parametrize("value", [None, "x", -7, [], {}, True, ...], ids=repr)
@pytest.mark.parametrize("field", instance())
def test_no_spoilt_field_makes_a_database_without_backups_pass(field: str, value: Any) -> None:
    spoilt = clean({**instance(days=0), field: value})
    assert verdicts(BACKUP_VERIFICATION, state(instances=(spoilt,)))["backups"] != P


RDS, AURORA = "AWS::RDS::DBInstance", "AWS::RDS::DBCluster"
TEMPLATES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "nothing said": (RDS, {}, [P]),
    "7 days": (RDS, {"BackupRetentionPeriod": 7}, [P]),
    "7 days, a word": (RDS, {"BackupRetentionPeriod": "7"}, [P]),
    "none": (RDS, {"BackupRetentionPeriod": 0}, [F]),
    "none, a word": (RDS, {"BackupRetentionPeriod": "0"}, [F]),
    "known at deploy time": (RDS, {"BackupRetentionPeriod": {"Ref": "D"}}, [U]),
    "a replica": (RDS, {"SourceDBInstanceIdentifier": "x", "BackupRetentionPeriod": 0}, []),
    "a member": (RDS, {"DBClusterIdentifier": {"Ref": "C"}}, []),
    "a cluster": (AURORA, {"BackupRetentionPeriod": 14}, [P]),
    "a cluster without": (AURORA, {"BackupRetentionPeriod": 0}, [F]),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name: str) -> None:
    kind, properties, expected = TEMPLATES[name]
    assert reviewed(BACKUP_VERIFICATION, {"X": {"Type": kind, "Properties": properties}}) == {
        "database_keeps_backups": expected
    }
