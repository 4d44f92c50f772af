"""Control 10: is every image scanned, and what did the scans find?"""

from datetime import timedelta
from typing import Any

import pytest

from cdk_soc2.boundary import parse
from cdk_soc2.controls.image_scanning import IMAGE_SCANNING
from cdk_soc2.controls.image_scanning.registry import matches
from tests.controls.states import findings, reads, reviewed, verdicts
from tests.fakes import ACCOUNT, NOW, Absent, Denied

P, F, U, N = "PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"
REGIONS = ("eu-west-1", "us-east-1")
REPOSITORIES = ("ecr", "describe_repositories")
REGISTRY = ("ecr", "get_registry_scanning_configuration")
EFFECTIVE = ("ecr", "batch_get_repository_scanning_configuration")
IMAGES, SCAN = ("ecr", "describe_images"), ("ecr", "describe_image_scan_findings")
INSPECTOR, FOUND = ("inspector2", "batch_get_account_status"), ("inspector2", "list_findings")
INDEX = "application/vnd.oci.image.index.v1+json"
NEVER = Absent("ScanNotFoundException")


def ago(days: float) -> Any:
    return NOW - timedelta(days=days)


def clean(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not ...}


def repository(name: str = "web", on_push: Any = True, **changed: Any) -> dict[str, Any]:
    told = {
        "repositoryName": name,
        "repositoryArn": f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{name}",
        "imageScanningConfiguration": {"scanOnPush": on_push},
    }
    return clean({**told, **changed})


def image(digest: str = "sha256:a", *, pushed: float = 5, **changed: Any) -> dict[str, Any]:
    told = {"imageDigest": digest, "imagePushedAt": ago(pushed), "imageTags": ["1.0"]}
    return clean({**told, **changed})


def scan(
    *severities: Any, scanned: Any = 5, status: Any = "COMPLETE", **changed: Any
) -> dict[str, Any]:
    """What DescribeImageScanFindings says of findings of these *severities*."""
    found = {
        "imageScanCompletedAt": ago(scanned) if isinstance(scanned, float | int) else scanned,
        "findings": [{"name": f"CVE-{n}", "severity": s} for n, s in enumerate(severities)],
        "findingSeverityCounts": {s: severities.count(s) for s in severities},
    }
    return {"imageScanStatus": {"status": status}, "imageScanFindings": clean(found | changed)}


IMAGE = image()


def registry(*rules: tuple[str, str], kind: Any = "BASIC") -> dict[str, Any]:
    told = [
        {
            "scanFrequency": how,
            "repositoryFilters": [{"filter": filter, "filterType": "WILDCARD"}],
        }
        for how, filter in rules
    ]
    return {"scanningConfiguration": {"scanType": kind, "rules": told}}


def inspector(images: Any = "ENABLED", whole: Any = "ENABLED") -> dict[str, Any]:
    state = {
        "accountId": ACCOUNT,
        "state": {"status": whole},
        "resourceState": {"ecr": {"status": images}, "ec2": {"status": "ENABLED"}},
    }
    return {"accounts": [state], "failedAccounts": []}


def finding(id: str = "f", severity: Any = "CRITICAL", *, age: Any = 40.0, **changed: Any) -> Any:
    told = {
        "findingArn": f"arn:{id}",
        "awsAccountId": ACCOUNT,
        "severity": severity,
        "status": "ACTIVE",
        "title": "CVE-2026-1 - openssl",
        "firstObservedAt": ago(age) if isinstance(age, float) else age,
        "resources": [{"type": "AWS_ECR_CONTAINER_IMAGE", "id": "arn:image"}],
    }
    return clean({**told, **changed})


def state(
    *repositories: Any,
    images: Any = (IMAGE,),
    scanned: Any = None,
    rules: Any = None,
    inspected: Any = None,
    found: Any = (),
    effective: Any = None,
) -> dict[tuple[str, ...], Any]:
    return {
        REPOSITORIES: {"repositories": list(repositories)},
        REGISTRY: registry() if rules is None else rules,
        IMAGES: {"imageDetails": list(images)} if isinstance(images, tuple) else images,
        SCAN: scan() if scanned is None else scanned,
        INSPECTOR: inspector() if inspected is None else inspected,
        FOUND: {"findings": list(found)} if isinstance(found, tuple) else found,
        EFFECTIVE: effective or Denied(),
    }


def basic(*severities: Any, pushed: float = 5, **scan_more: Any) -> dict[tuple[str, ...], Any]:
    return state(
        repository(), images=(image(pushed=pushed),), scanned=scan(*severities, **scan_more)
    )


ACTIVE = image(imageScanStatus={"status": "ACTIVE"})
ALL = registry(("CONTINUOUS_SCAN", "*"), kind="ENHANCED")


def enhanced(*found: Any, images: Any = (ACTIVE,), **more: Any) -> dict[tuple[str, ...], Any]:
    return state(
        repository(on_push=False), **{"images": images, "rules": ALL, "found": found, **more}
    )


def holds(how: Any) -> dict[str, Any]:
    told = {"repositoryName": "web", "scanFrequency": how}
    return {"scanningConfigurations": [told], "failures": []}


def by_digest(**scans: Any) -> Any:
    return lambda repositoryName, imageId, maxResults: scans[imageId["imageDigest"]]


OLD_AND_NEW = (image("old", pushed=200), image("new", pushed=2))
SCANS_OF = {"old": scan("CRITICAL", scanned=100), "new": scan()}

STATES: dict[str, tuple[dict[tuple[str, ...], Any], str, str]] = {
    # name: (answers, image_scanning, image_findings)
    "good": (state(repository()), P, P),
    "no repository": (state(), N, N),
    "no image": (state(repository(), images=()), P, N),
    "not on push": (state(repository(on_push=False)), F, P),
    "one of two is not": (state(repository(), repository("api", False)), F, P),
    "not in one region": (
        state(repository()) | {("eu-west-1", *REPOSITORIES): {"repositories": [
            repository("api", False)]}}, F, P,
    ),
    "none in one region": (
        state(repository()) | {("eu-west-1", *REPOSITORIES): {"repositories": []}}, P, P,
    ),
    "by the registry": (
        state(repository(on_push=False), rules=registry(("SCAN_ON_PUSH", "*"))), P, P,
    ),
    "by the registry, another": (
        state(repository(on_push=False), rules=registry(("SCAN_ON_PUSH", "prod*"))), F, P,
    ),
    "by the registry, by hand": (
        state(repository(on_push=False), rules=registry(("MANUAL", "*"))), F, P,
    ),
    "on push, but the registry's rules name others": (
        state(repository(), rules=registry(("SCAN_ON_PUSH", "prod*")), effective=holds("MANUAL")),
        F, P,
    ),
    "on push, and that holds": (
        state(repository(), rules=registry(("SCAN_ON_PUSH", "prod*")),
              effective=holds("SCAN_ON_PUSH")), P, P,
    ),
    "on push, nobody tells what holds": (
        state(repository(), rules=registry(("SCAN_ON_PUSH", "prod*"))), U, P,
    ),
    "on push, what holds is not told": (
        state(repository(), rules=registry(("SCAN_ON_PUSH", "prod*")),
              effective={"scanningConfigurations": [], "failures": []}), U, P,
    ),
    "two rules that differ": (
        state(repository(), rules=registry(("SCAN_ON_PUSH", "*"), ("MANUAL", "web")),
              effective=holds("MANUAL")), F, P,
    ),
    "on push, but the registry's rule is by hand": (
        state(repository(), rules=registry(("MANUAL", "*"))), F, P,
    ),
    "registry denied": (state(repository(), rules=Denied()), U, U),
    "registry null": (state(repository(), rules={"scanningConfiguration": None}), U, U),
    "registry of no type": (state(repository(), rules=registry(kind=None)), U, U),
    "registry of another type": (state(repository(), rules=registry(kind="basic")), U, U),
    "rules null": (
        state(repository(), rules={"scanningConfiguration": {"scanType": "BASIC", "rules": None}}),
        U, U,
    ),
    "rules of another frequency": (
        state(repository(), rules=registry(("CONTINUOUS_SCAN", "*"))), U, U,
    ),
    "own setting null": (state(repository(on_push=None)), U, P),
    "own setting a word": (state(repository(on_push="true")), U, P),
    "own setting missing": (state(repository(imageScanningConfiguration=...)), U, P),
    "repositories denied": ({}, U, U),
    "repositories null": ({REPOSITORIES: {"repositories": None}}, U, U),
    "repositories are words": ({REPOSITORIES: {"repositories": ["web"]}}, U, U),
    "a repository without a name": (state(repository(repositoryName=...)), U, U),
    "a repository without an arn": (state(repository(repositoryArn=...)), U, U),
    # basic findings
    "medium ones": (basic("MEDIUM", "LOW", "UNDEFINED", "INFORMATIONAL"), P, P),
    "a critical one, pushed lately": (basic("CRITICAL", pushed=29, scanned=29), P, P),
    "a critical one, scanned long ago": (basic("CRITICAL", pushed=31, scanned=31), P, F),
    "a critical one, pushed long ago, scanned lately": (
        basic("CRITICAL", pushed=100, scanned=1), P, U,
    ),
    "a high one, pushed lately": (basic("HIGH", pushed=80, scanned=20), P, P),
    "a high one, scanned long ago": (basic("HIGH", pushed=91, scanned=91), P, F),
    "a high one, pushed long ago, scanned lately": (basic("HIGH", pushed=100, scanned=1), P, U),
    "nothing, scanned lately": (basic(pushed=200, scanned=3), P, P),
    "nothing, scanned long ago": (basic(pushed=200, scanned=200), P, U),
    "a high one, scanned too long ago to tell of critical ones": (
        basic("HIGH", pushed=60, scanned=60), P, U,
    ),
    "never scanned": (state(repository(), scanned=NEVER), P, U),
    "scan denied": (state(repository(), scanned=Denied()), P, U),
    "scan refused": (state(repository(), scanned=Absent("ImageNotFoundException")), P, U),
    "scan failed": (basic(status="FAILED"), P, U),
    "scan under way": (basic(status="IN_PROGRESS"), P, U),
    "unsupported": (basic(status="UNSUPPORTED_IMAGE"), P, U),
    "findings gone": (basic(status="FINDINGS_UNAVAILABLE"), P, U),
    "scan of no status": (basic(status=None), P, U),
    "scan of a status of enhanced scanning": (basic(status="ACTIVE"), P, U),
    "scan of nothing": (state(repository(), scanned={}), P, U),
    "scan at no time": (basic(scanned=None), P, U),
    "scan tomorrow": (basic(scanned=-1), P, U),
    "scan at a word": (basic(scanned="2026-11-20"), P, U),
    "findings null": (basic(findings=None), P, U),
    "findings missing": (basic(findings=...), P, U),
    "counts missing": (basic(findingSeverityCounts=...), P, U),
    "counts null": (basic(findingSeverityCounts={"CRITICAL": None}), P, U),
    "more counted than listed": (basic(findingSeverityCounts={"CRITICAL": 3}), P, U),
    "severity null": (basic(None), P, U),
    "severity of another kind": (basic("critical"), P, U),
    "the newest counts": (
        state(repository(), images=OLD_AND_NEW, scanned=by_digest(**SCANS_OF)), P, P,
    ),
    "an old one was pulled lately": (
        state(repository(), images=(OLD_AND_NEW[0] | {"lastRecordedPullTime": ago(3)},
                                    OLD_AND_NEW[1]), scanned=by_digest(**SCANS_OF)), P, F,
    ),
    "an old one was pulled long ago": (
        state(repository(), images=(OLD_AND_NEW[0] | {"lastRecordedPullTime": ago(90)},
                                    OLD_AND_NEW[1]), scanned=by_digest(**SCANS_OF)), P, P,
    ),
    "a newer one without a tag": (
        state(repository(), images=(image("new"), image("old", pushed=1, imageTags=...)),
              scanned=by_digest(**SCANS_OF)), P, P,
    ),
    "none with a tag": (
        state(repository(), images=(image("old", imageTags=...),), scanned=by_digest(**SCANS_OF)),
        P, F,
    ),
    "a signature is no image": (
        state(repository(), images=(image("old"), image("sig", pushed=1, imageTags=["sha256-a.sig"])),
              scanned=by_digest(**SCANS_OF)), P, F,
    ),
    "an attachment is no image": (
        state(repository(), images=(image("old"), image("sbom", pushed=1,
              subjectManifestDigest="old")), scanned=by_digest(**SCANS_OF)), P, F,
    ),
    "a chart is no image": (
        state(repository(), images=(image(
            artifactMediaType="application/vnd.cncf.helm.config.v1+json"),)), P, N,
    ),
    "an image by its type": (
        state(repository(), images=(image(
            artifactMediaType="application/vnd.docker.container.image.v1+json"),)), P, P,
    ),
    "an index": (state(repository(), images=(image(imageManifestMediaType=INDEX),)), P, U),
    "images denied": (state(repository(), images=Denied()), P, U),
    "images null": (state(repository(), images={"imageDetails": None}), P, U),
    "an image of no time": (state(repository(), images=(image(imagePushedAt=...),)), P, U),
    "an image of tomorrow": (state(repository(), images=(image(pushed=-1),)), P, U),
    "an image without a digest": (state(repository(), images=(image(imageDigest=...),)), P, U),
    "one repository's scan fails": (
        state(repository(), repository("api"), scanned=lambda repositoryName, imageId, maxResults:
              scan("CRITICAL", scanned=50) if repositoryName == "api" else scan(status="FAILED")),
        P, F,
    ),
    # enhanced
    "enhanced": (enhanced(), P, P),
    "enhanced, on push only": (
        enhanced(rules=registry(("SCAN_ON_PUSH", "*"), kind="ENHANCED")), P, P,
    ),
    "enhanced, another repository": (
        enhanced(rules=registry(("CONTINUOUS_SCAN", "prod*"), kind="ENHANCED"),
                 images=(image(),)), F, U,
    ),
    "enhanced, the own setting does not help": (
        state(repository(), images=(image(),), rules=registry(kind="ENHANCED")), F, U,
    ),
    "enhanced, Inspector is off": (enhanced(inspected=inspector("DISABLED")), F, U),
    "enhanced, Inspector is suspended": (
        enhanced(inspected=inspector("ENABLED", "SUSPENDED")), F, U,
    ),
    "enhanced, Inspector is coming": (enhanced(inspected=inspector("ENABLING")), U, U),
    "enhanced, Inspector denied": (enhanced(inspected=Denied()), U, U),
    "enhanced, Inspector denied, no rule": (
        enhanced(inspected=Denied(), rules=registry(kind="ENHANCED")), F, U,
    ),
    "enhanced, Inspector of others": (
        enhanced(inspected={"accounts": [], "failedAccounts": [{"accountId": ACCOUNT}]}), U, U,
    ),
    "enhanced, Inspector null": (enhanced(inspected={"accounts": None}), U, U),
    "enhanced, Inspector status null": (enhanced(inspected=inspector(None)), U, U),
    "enhanced, no image": (enhanced(images=()), P, N),
    "enhanced, a critical one": (enhanced(finding()), P, F),
    "enhanced, a critical one, young": (enhanced(finding(age=29.0)), P, P),
    "enhanced, a high one": (enhanced(finding(severity="HIGH", age=91.0)), P, F),
    "enhanced, a high one, young": (enhanced(finding(severity="HIGH", age=40.0)), P, P),
    "enhanced, medium": (enhanced(finding(severity="MEDIUM", age=400.0)), P, P),
    "enhanced, untriaged": (enhanced(finding(severity="UNTRIAGED", age=400.0)), P, P),
    "enhanced, suppressed": (enhanced(finding(status="SUPPRESSED")), P, P),
    "enhanced, closed": (enhanced(finding(status="CLOSED")), P, P),
    "enhanced, of a member": (enhanced(finding(awsAccountId="210987654321")), P, P),
    "enhanced, of an instance": (
        enhanced(finding(resources=[{"type": "AWS_EC2_INSTANCE"}])), P, P,
    ),
    "enhanced, last of many": (
        enhanced(*(finding(f"f{n}", age=1.0) for n in range(300)), finding("z")), P, F,
    ),
    "enhanced, a critical one, Inspector is off": (
        enhanced(finding(), inspected=inspector("DISABLED")), F, F,
    ),
    "enhanced, a critical one, no image is told": (enhanced(finding(), images=Denied()), P, F),
    "enhanced, findings denied": (enhanced(found=Denied()), P, U),
    "enhanced, findings null": (enhanced(found={"findings": None}), P, U),
    "enhanced, severity null": (enhanced(finding(severity=None)), P, U),
    "enhanced, severity in small letters": (enhanced(finding(severity="critical")), P, U),
    "enhanced, status null": (enhanced(finding(status=None)), P, U),
    "enhanced, status of another kind": (enhanced(finding(status="active")), P, U),
    "enhanced, no time": (enhanced(finding(age=None)), P, U),
    "enhanced, a time that is a word": (enhanced(finding(age="2026-01-01")), P, U),
    "enhanced, a time to come": (enhanced(finding(age=-2.0)), P, U),
    "enhanced, of nothing": (enhanced(finding(resources=[])), P, U),
    "enhanced, of no account": (enhanced(finding(awsAccountId=...)), P, U),
    "enhanced, one unread, one old": (enhanced(finding("x", age=None), finding()), P, F),
    "enhanced, no longer looked at": (
        enhanced(images=(image(imageScanStatus={"status": "SCAN_ELIGIBILITY_EXPIRED"}),)), P, U,
    ),
    "enhanced, never looked at": (enhanced(images=(image(),)), P, U),
    "enhanced, pending": (enhanced(images=(image(imageScanStatus={"status": "PENDING"}),)), P, U),
    "enhanced, scanned once, lately": (
        enhanced(images=(image(imageScanStatus={"status": "COMPLETE"},
                 imageScanFindingsSummary={"imageScanCompletedAt": ago(2)}),)), P, P,
    ),
    "enhanced, scanned once, long ago": (
        enhanced(images=(image(imageScanStatus={"status": "COMPLETE"},
                 imageScanFindingsSummary={"imageScanCompletedAt": ago(50)}),)), P, U,
    ),
    "enhanced, scanned once, no time": (
        enhanced(images=(image(imageScanStatus={"status": "COMPLETE"}),)), P, U,
    ),
    "enhanced, an index and its image": (
        enhanced(images=(image("i", pushed=1, imageManifestMediaType=INDEX),
                         ACTIVE | {"imageTags": None})), P, P,
    ),
    "enhanced, only an index": (
        enhanced(images=(image("i", imageManifestMediaType=INDEX),)), P, U,
    ),
    "enhanced, an old one is no longer looked at": (
        enhanced(images=(image("old", pushed=300, imageScanStatus={
            "status": "SCAN_ELIGIBILITY_EXPIRED"}), ACTIVE)), P, P,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    answers, scanning, found = STATES[name]
    assert verdicts(IMAGE_SCANNING, answers, regions=REGIONS) == {
        "image_scanning": scanning,
        "image_findings": found,
    }


@pytest.mark.parametrize("name", STATES)
def test_what_is_not_good_has_a_remedy(name: str) -> None:
    found = findings(IMAGE_SCANNING, STATES[name][0], regions=REGIONS).values()
    assert [o for f in found for o in f.observations if o.status in (F, U) and not o.remedy] == []


def test_it_reads_what_it_says() -> None:
    states = [answers for answers, *_ in STATES.values()]
    assert reads(IMAGE_SCANNING, states) == set(IMAGE_SCANNING.reads)


def test_the_question_to_inspector_is_of_this_account_and_of_images() -> None:
    asked: list[dict[str, Any]] = []
    answers = enhanced(found=lambda **p: asked.append(p) or {"findings": []})
    verdicts(IMAGE_SCANNING, answers)
    [criteria] = [p["filterCriteria"] for p in asked]
    assert {key: [f["value"] for f in filters] for key, filters in criteria.items()} == {
        "awsAccountId": [ACCOUNT],
        "findingStatus": ["ACTIVE", "SUPPRESSED"],
        "resourceType": ["AWS_ECR_CONTAINER_IMAGE"],
        "severity": ["CRITICAL", "HIGH"],
    }


def test_what_is_suppressed_or_empty_is_named() -> None:
    found = findings(IMAGE_SCANNING, enhanced(finding(status="SUPPRESSED")))["image_findings"]
    assert [e.subject for e in found.exclusions] == ["arn:f"]
    assert "suppressed by a rule in Amazon Inspector: CRITICAL" in found.exclusions[0].reason
    empty = findings(IMAGE_SCANNING, state(repository(), images=()))["image_findings"]
    assert [e.reason for e in empty.exclusions] == ["holds no image"]


@pytest.mark.parametrize(
    ("days", "answers", "expected"),
    [
        ({"critical": 60}, enhanced(finding(age=40.0)), P),
        ({"critical": 7}, enhanced(finding(age=8.0)), F),
        ({"high": 30}, enhanced(finding(severity="HIGH", age=40.0)), F),
        ({"critical": 0}, enhanced(finding(age=0.1)), F),
        ({"critical": 60}, basic("CRITICAL", pushed=50, scanned=50), P),
        ({"critical": 7}, basic("CRITICAL", pushed=9, scanned=8), F),
        ({"critical": 7}, basic(pushed=9, scanned=8), U),
    ],
)
def test_the_days_allowed_are_those_of_the_boundary(
    days: dict[str, int], answers: Any, expected: str
) -> None:
    boundary = parse({"sla_days": days})
    assert verdicts(IMAGE_SCANNING, answers, boundary=boundary)["image_findings"] == expected


SPOILT = (None, 7, -1, [], {}, True, ...)


@pytest.mark.parametrize("value", SPOILT, ids=repr)
@pytest.mark.parametrize("field", finding())
def test_no_spoilt_field_lets_an_old_finding_pass(field: str, value: Any) -> None:
    found = verdicts(IMAGE_SCANNING, enhanced(finding(**{field: value})))
    assert found["image_findings"] != P


@pytest.mark.parametrize("value", SPOILT, ids=repr)
@pytest.mark.parametrize("field", ["imageScanCompletedAt", "findings", "findingSeverityCounts"])
def test_no_spoilt_scan_lets_an_old_finding_pass(field: str, value: Any) -> None:
    found = verdicts(IMAGE_SCANNING, basic("CRITICAL", pushed=99, scanned=99, **{field: value}))
    assert found["image_findings"] != P


@pytest.mark.parametrize("value", SPOILT, ids=repr)
@pytest.mark.parametrize("field", image())
def test_no_spoilt_image_lets_an_old_finding_pass(field: str, value: Any) -> None:
    images = (image(**{"imagePushedAt": ago(99), field: value}),)
    answers = state(repository(), images=images, scanned=scan("CRITICAL", scanned=99))
    assert verdicts(IMAGE_SCANNING, answers)["image_findings"] != P


MATCHES = {
    # the table of the ECR User Guide: filter, and which of the names it matches
    "prod": (True, True, True, True, True),
    "*prod": (True, True, False, False, False),
    "prod*": (True, False, True, False, True),
    "*prod*": (True, True, True, True, True),
    "prod*repo": (False, False, True, False, True),
    "*": (True, True, True, True, True),
    "p.od": (False, False, False, False, False),
}


@pytest.mark.parametrize("filter", MATCHES)
def test_filters(filter: str) -> None:
    names = ("prod", "repo-prod", "prod-repo", "repo-prod-repo", "prodrepo")
    assert tuple(matches(filter, name) for name in names) == MATCHES[filter]


REGISTRY_TYPE = "AWS::ECR::RegistryScanningConfiguration"


def rule(filter: str, how: str = "SCAN_ON_PUSH") -> dict[str, Any]:
    filters = [{"Filter": filter, "FilterType": "WILDCARD"}]
    rules = [{"ScanFrequency": how, "RepositoryFilters": filters}]
    return {"Type": REGISTRY_TYPE, "Properties": {"ScanType": "BASIC", "Rules": rules}}


TEMPLATES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "on push": ({"ImageScanningConfiguration": {"ScanOnPush": True}}, {}, P),
    "on push, a word": ({"ImageScanningConfiguration": {"ScanOnPush": "true"}}, {}, P),
    "not on push": ({"ImageScanningConfiguration": {"ScanOnPush": False}}, {}, F),
    "nothing said": ({}, {}, F),
    "known at deploy time": ({"ImageScanningConfiguration": {"Ref": "P"}}, {}, U),
    "by the registry": ({}, {"G": rule("*")}, P),
    "by the registry, others": ({}, {"G": rule("prod*")}, F),
    "by the registry, by hand": ({}, {"G": rule("*", "MANUAL")}, F),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name: str) -> None:
    properties, more, expected = TEMPLATES[name]
    resources = {"R": {"Type": "AWS::ECR::Repository", "Properties": properties}, **more}
    assert reviewed(IMAGE_SCANNING, resources) == {"repository_scans_on_push": [expected]}
