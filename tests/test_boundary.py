"""The boundary file: what it takes, and what it says of what it does not take."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cdk_soc2.boundary import Boundary, BoundaryError, load, parse

WHOLE = """
name: production
accounts: ["123456789012"]
regions: [us-east-1, eu-west-1]
vpcs: {tags: {Environment: production}}
non_production_cidrs: [10.0.0.0/8, "fd00::/8"]
reviewed_connections: [{id: pcx-0abc, reason: partner, reviewed_by: ada, until: 2027-01-31}]
period: {start: 2026-09-01, end: 2026-11-30}
break_glass_users: [breakglass]
accepted_exceptions:
  - {check: secrets_rotation, subject: "arn:x", reason: r, reviewed_by: ada, until: 2027-03-31}
deploy_roles: [github-deploy]
sla_days: {critical: 30, high: 90, guardduty: 0}
systems:
  - {name: orders-db, kind: rds, stores_customer_data: true, affects_availability: true,
     has_production_credentials: false, breach_if_compromised: true, decided_by: ada, decided_on: 2026-08-20}
"""

REFUSED = {
    "unknown key": ({"regoins": []}, "unknown key 'regoins'; did you mean 'regions'?"),
    "unknown nested key": ({"period": {"start": "2026-01-01", "stop": "2026-02-01"}}, "'stop'"),
    "missing nested key": ({"period": {"start": "2026-01-01"}}, "boundary.period: end missing"),
    "account as a number": ({"accounts": [123456789012]}, "write its 12 digits in quotes"),
    "region": ({"regions": ["Frankfurt"]}, "boundary.regions[0]: 'Frankfurt'"),
    "region twice": ({"regions": ["us-east-1", "us-east-1"]}, "listed twice"),
    "CIDR with host bits": ({"non_production_cidrs": ["10.0.0.1/8"]}, "host bits"),
    "not a date": ({"period": {"start": "soon", "end": "2026-01-01"}}, "write YYYY-MM-DD"),
    "ends before it starts": (
        {"period": {"start": "2026-02-01", "end": "2026-01-01"}},
        "before it",
    ),
    "a text for a list": ({"accounts": "123456789012"}, "is not a list"),
    "yes as a word": (
        {"systems": [{"name": "a", "kind": "b", "stores_customer_data": "yes"}]},
        "systems[0]",
    ),
    "negative days": ({"sla_days": {"high": -1}}, "0 or more"),
    "a list": ([], "not a mapping"),
    "empty reason": (
        {
            "reviewed_connections": [
                {"id": "p", "reason": " ", "reviewed_by": "a", "until": "2026-01-01"}
            ]
        },
        "reason",
    ),
}


def test_the_whole_file_is_read_and_survives_the_trip_as_json() -> None:
    boundary = parse(yaml.safe_load(WHOLE))
    assert parse(boundary.document) == boundary
    assert boundary.digest == parse(boundary.document).digest
    assert set(boundary.document) == set(yaml.safe_load(WHOLE))


def test_an_empty_file_is_this_account_and_all_its_regions() -> None:
    assert parse(None) == Boundary() == parse({})


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    document, said = REFUSED[name]
    with pytest.raises(BoundaryError) as error:
        parse(document)
    assert said in str(error.value)


FILES: dict[str, tuple[Any, str]] = {
    "not there": (None, "give the path of a boundary file"),
    "not YAML": (b"a: [", "not YAML"),
    "not UTF-8": (b"\xff\xfe", "not UTF-8"),
    "wrong": (b"accounts: [1]", "accounts[0]"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_used_is_named(name: str, tmp_path: Path) -> None:
    body, said = FILES[name]
    path = tmp_path / "boundary.yaml"
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(BoundaryError) as error:
        load(path)
    assert said in str(error.value) and str(path) in str(error.value)
