"""Control 7: encryption by default, of volumes and of databases, region by region."""

import time
from typing import Any

import pytest

from cdk_soc2.boundary import parse
from cdk_soc2.controls.ebs_encryption import EBS_ENCRYPTION
from tests.controls.states import findings, reads, reviewed, verdicts
from tests.fakes import Denied

P, F, U, N = "PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"
ON, OFF = {"EbsEncryptionByDefault": True}, {"EbsEncryptionByDefault": False}
QUESTION = ("ec2", "get_ebs_encryption_by_default")
VOLUMES = ("ec2", "describe_volumes")
INSTANCES, CLUSTERS = ("rds", "describe_db_instances"), ("rds", "describe_db_clusters")
REGIONS = ("eu-west-1", "us-east-1")
ARN = "arn:aws:rds:us-east-1:123456789012"


def state(
    *, default: Any = ON, volumes: Any = (), instances: Any = (), clusters: Any = ()
) -> dict[tuple[str, ...], Any]:
    """A tuple is the list of what there is; anything else is the answer itself."""
    return {
        QUESTION: default,
        VOLUMES: {"Volumes": list(volumes)} if isinstance(volumes, tuple) else volumes,
        INSTANCES: {"DBInstances": list(instances)} if isinstance(instances, tuple) else instances,
        CLUSTERS: {"DBClusters": list(clusters)} if isinstance(clusters, tuple) else clusters,
    }


def volume(id: str = "vol-1", encrypted: Any = True) -> dict[str, Any]:
    return {"VolumeId": id, "Encrypted": encrypted, "State": "in-use"}


def instance(
    id: str = "db", encrypted: Any = True, cluster: Any = None, **more: Any
) -> dict[str, Any]:
    member = {} if cluster is None else {"DBClusterIdentifier": cluster}
    return {
        "DBInstanceIdentifier": id,
        "DBInstanceArn": f"{ARN}:db:{id}",
        "Engine": "postgres",
        "StorageEncrypted": encrypted,
        **member,
        **more,
    }


def cluster(id: str = "c", encrypted: Any = True, **more: Any) -> dict[str, Any]:
    return {
        "DBClusterIdentifier": id,
        "DBClusterArn": f"{ARN}:cluster:{id}",
        "Engine": "aurora-postgresql",
        "StorageEncrypted": encrypted,
        **more,
    }


IN_EUROPE = ("eu-west-1", *QUESTION)
STATES: dict[str, tuple[dict[tuple[str, ...], Any], str, str, str]] = {
    # name: (answers, ebs_encryption, ebs_volumes, rds_encryption)
    "on everywhere": (state(), P, N, N),
    "off everywhere": (state(default=OFF), F, N, N),
    "off in one": (state() | {IN_EUROPE: OFF}, F, N, N),
    "denied in one": (state() | {IN_EUROPE: Denied()}, U, N, N),
    "off in one, denied in one": (state(default=OFF) | {IN_EUROPE: Denied()}, F, N, N),
    "default denied": (state(default=Denied()), U, N, N),
    "default null": (state(default={"EbsEncryptionByDefault": None}), U, N, N),
    "default a word": (state(default={"EbsEncryptionByDefault": "true"}), U, N, N),
    "default nothing": (state(default={}), U, N, N),
    "denied": ({}, U, U, U),
    "volumes encrypted": (state(volumes=(volume(), volume("vol-2"))), P, P, N),
    "a volume is not": (state(volumes=(volume(), volume("vol-2", False))), P, F, N),
    "a volume is not, in one region": (
        state(volumes=(volume(),)) | {("eu-west-1", *VOLUMES): {"Volumes": [volume("v", False)]}},
        P, F, N,
    ),
    "volumes in one region only": (
        state(volumes=(volume(),)) | {("eu-west-1", *VOLUMES): {"Volumes": []}}, P, P, N,
    ),
    "volumes denied in one region": (
        state(volumes=(volume(),)) | {("eu-west-1", *VOLUMES): Denied()}, P, U, N,
    ),
    "volumes null": (state(volumes={"Volumes": None}), P, U, N),
    "volumes missing": (state(volumes={}), P, U, N),
    "volumes are words": (state(volumes=("vol-1",)), P, U, N),
    "a volume of null": (state(volumes=(volume(encrypted=None),)), P, U, N),
    "a volume of a word": (state(volumes=(volume(encrypted="true"),)), P, U, N),
    "a volume without a word": (state(volumes=({"VolumeId": "vol-1"},)), P, U, N),
    "a volume without an id": (state(volumes=({"Encrypted": True},)), P, U, N),
    "a volume of null, another is not": (
        state(volumes=(volume(encrypted=None), volume("vol-2", False))), P, F, N,
    ),
    "last of many": (
        state(volumes=(*(volume(f"vol-{n}") for n in range(500)), volume("vol-z", False))), P, F, N,
    ),
    "databases encrypted": (state(instances=(instance(),), clusters=(cluster(),)), P, N, P),
    "an instance is not": (state(instances=(instance(), instance("x", False))), P, N, F),
    "a cluster is not": (state(instances=(instance(),), clusters=(cluster("c", False),)), P, N, F),
    "a member is judged at its cluster": (
        state(instances=(instance("m", False, "c"),), clusters=(cluster(),)), P, N, P,
    ),
    "members of a cluster that is not": (
        state(instances=(instance("m", True, "c"),), clusters=(cluster("c", False),)), P, N, F,
    ),
    "a member whose cluster is not listed": (
        state(instances=(instance("m", False, "gone"),), clusters=(cluster(),)), P, N, F,
    ),
    "a DocumentDB cluster is not": (
        state(clusters=(cluster("d", False, Engine="docdb"),)), P, N, F,
    ),
    "a Neptune cluster is not": (state(clusters=(cluster("n", False, Engine="neptune"),)), P, N, F),
    "with a key that AWS owns": (
        state(clusters=(cluster("c", False, StorageEncryptionType="sse-rds"),)), P, N, P,
    ),
    "not, by both fields": (
        state(clusters=(cluster("c", False, StorageEncryptionType="none"),)), P, N, F,
    ),
    "encrypted, by both fields": (
        state(instances=(instance(StorageEncryptionType="sse-kms"),)), P, N, P,
    ),
    "the fields disagree": (
        state(instances=(instance(StorageEncryptionType="none"),)), P, N, U,
    ),
    "the fields disagree otherwise": (
        state(instances=(instance(encrypted=False, StorageEncryptionType="sse-kms"),)), P, N, U,
    ),
    "an instance of null": (state(instances=(instance(encrypted=None),)), P, N, U),
    "an instance of a word": (state(instances=(instance(encrypted="yes"),)), P, N, U),
    "a cluster of null": (state(clusters=(cluster(encrypted=None),)), P, N, U),
    "a cluster without an id": (state(clusters=({"StorageEncrypted": True},)), P, N, U),
    "a member of no cluster": (state(instances=(instance("m", True, ["c"]),)), P, N, U),
    "instances denied": (state(instances=Denied()), P, N, U),
    "clusters denied": (state(instances=(instance(),), clusters=Denied()), P, N, U),
    "clusters denied, an instance is not": (
        state(instances=(instance(encrypted=False),), clusters=Denied()), P, N, F,
    ),
    "clusters denied, only members": (
        state(instances=(instance("m", True, "c"),), clusters=Denied()), P, N, U,
    ),
    "instances null": (state(instances={"DBInstances": None}), P, N, U),
    "clusters null": (state(clusters={"DBClusters": None}), P, N, U),
    "instances are words": (state(instances=("db",)), P, N, U),
    "clusters are words": (state(clusters=("c",)), P, N, U),
    "a database is not, in one region": (
        state(instances=(instance(),))
        | {("eu-west-1", *INSTANCES): {"DBInstances": [instance("x", False)]}},
        P, N, F,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    answers, default, volumes, databases = STATES[name]
    assert verdicts(EBS_ENCRYPTION, answers, regions=REGIONS) == {
        "ebs_encryption": default,
        "ebs_volumes": volumes,
        "rds_encryption": databases,
    }


@pytest.mark.parametrize("name", STATES)
def test_what_is_not_good_has_a_remedy(name: str) -> None:
    found = findings(EBS_ENCRYPTION, STATES[name][0], regions=REGIONS).values()
    assert [o for f in found for o in f.observations if o.status in (F, U) and not o.remedy] == []


def test_it_reads_what_it_says() -> None:
    states = [answers for answers, *_ in STATES.values()]
    assert reads(EBS_ENCRYPTION, states) == set(EBS_ENCRYPTION.reads)


def test_a_region_that_cannot_be_asked_costs_no_other() -> None:
    answers = {QUESTION: ON, IN_EUROPE: Denied()}
    found = findings(EBS_ENCRYPTION, answers, regions=REGIONS)["ebs_encryption"]
    assert [(o.region, str(o.status)) for o in found.observations] == [
        ("eu-west-1", "UNKNOWN"),
        ("us-east-1", "PASS"),
    ]
    assert (found.population, found.observed, found.denied) == (2, 1, 1)


def test_members_are_counted_and_named() -> None:
    answers = state(instances=(instance(), instance("m", True, "c")), clusters=(cluster(),))
    found = findings(EBS_ENCRYPTION, answers)["rds_encryption"]
    assert (found.population, found.observed) == (3, 2)
    assert [(e.subject, e.reason) for e in found.exclusions] == [
        (f"{ARN}:db:m", "judged at its cluster c")
    ]


def test_ten_thousand_volumes_are_not_slow() -> None:
    answers = state(volumes=tuple(volume(f"vol-{n}") for n in range(10_000)))
    began = time.process_time()
    found = findings(EBS_ENCRYPTION, answers)["ebs_volumes"]
    assert found.observed == 10_000 and time.process_time() - began < 2


@pytest.mark.parametrize(
    ("until", "expected"),
    [("2026-11-23", "PASS"), ("2026-11-22", "FAIL")],
    ids=["holds", "expired"],
)
def test_an_accepted_exception_is_an_exclusion_until_it_expires(until: str, expected: str) -> None:
    boundary = parse(
        {
            "accepted_exceptions": [
                {
                    "check": "ebs_encryption",
                    "subject": "eu-west-1",
                    "reason": "nothing runs there",
                    "reviewed_by": "ada",
                    "until": until,
                }
            ]
        }
    )
    answers = {QUESTION: ON, IN_EUROPE: OFF}
    found = findings(EBS_ENCRYPTION, answers, regions=REGIONS, boundary=boundary)["ebs_encryption"]
    assert str(found.status) == expected
    assert (found.population, len(found.exclusions)) == (2, int(expected == "PASS"))


RDS, AURORA = "AWS::RDS::DBInstance", "AWS::RDS::DBCluster"
TEMPLATES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "an instance": (RDS, {"StorageEncrypted": True}, [P]),
    "an instance, a word": (RDS, {"StorageEncrypted": "true"}, [P]),
    "an instance in the clear": (RDS, {"StorageEncrypted": False}, [F]),
    "an instance, nothing said": (RDS, {}, [F]),
    "an instance, known at deploy time": (RDS, {"StorageEncrypted": {"Ref": "P"}}, [U]),
    "an instance from a snapshot": (RDS, {"DBSnapshotIdentifier": "s"}, [U]),
    "a replica": (RDS, {"SourceDBInstanceIdentifier": "x"}, [U]),
    "a member": (RDS, {"DBClusterIdentifier": {"Ref": "C"}}, []),
    "a cluster": (AURORA, {"StorageEncrypted": True}, [P]),
    "a cluster in the clear": (AURORA, {}, [F]),
    "a cluster from a snapshot": (
        AURORA,
        {"SnapshotIdentifier": "s", "StorageEncrypted": True},
        [U],
    ),
    "a DocumentDB cluster in the clear": ("AWS::DocDB::DBCluster", {}, [F]),
    "a Neptune cluster": ("AWS::Neptune::DBCluster", {"StorageEncrypted": True}, [P]),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_database_in_a_template(name: str) -> None:
    kind, properties, expected = TEMPLATES[name]
    assert reviewed(EBS_ENCRYPTION, {"X": {"Type": kind, "Properties": properties}}) == {
        "volume_is_encrypted": [],
        "database_is_encrypted": expected,
    }


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"Encrypted": True}, P),
        ({"Encrypted": False}, F),
        ({}, F),
        ({"Encrypted": {"Ref": "P"}}, U),
    ],
)
def test_volume_in_a_template(properties: dict[str, Any], expected: str) -> None:
    resources = {"V": {"Type": "AWS::EC2::Volume", "Properties": properties}}
    assert reviewed(EBS_ENCRYPTION, resources)["volume_is_encrypted"] == [expected]
