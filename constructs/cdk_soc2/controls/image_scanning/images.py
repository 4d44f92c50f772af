"""Which images of a repository count: the newest, and those that were pulled lately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cdk_soc2.answers import malformed, may, records, want, when
from cdk_soc2.context import Context
from cdk_soc2.control import Excluded, Observed, Region

# An index holds no software, but names the images of each platform.
INDEXES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
# What is stored in a registry and is neither, such as a chart or a signature, holds no image.
CONTAINERS = (
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
)
SKEW = timedelta(hours=1)  # how far AWS's clock may be ahead of ours
IN_USE = timedelta(days=30)  # ECR tells when an image was last pulled, not where it runs


@dataclass(frozen=True, slots=True)
class Image:
    """One image, as far as it is judged.

    :param answer: what ``DescribeImages`` says of it.
    """

    repository: str
    arn: str
    digest: str
    tags: tuple[str, ...]
    pushed: datetime
    pulled: datetime | None
    index: bool
    answer: Mapping[str, Any]

    @classmethod
    def of(cls, answer: Mapping[str, Any], repository: Mapping[str, Any], now: datetime) -> Image:
        """Raises :class:`CannotLook`."""
        digest, pushed = want(answer, "imageDigest", str), past(answer, "imagePushedAt", now)
        return cls(
            want(repository, "repositoryName", str),
            f"{want(repository, 'repositoryArn', str)}/{digest}",
            digest,
            tuple(map(str, may(answer, "imageTags", list) or ())),
            pushed,
            when(answer, "lastRecordedPullTime"),
            may(answer, "imageManifestMediaType", str) in INDEXES,
            answer,
        )

    @property
    def name(self) -> str:
        return f"{', '.join(self.tags[:3]) or 'untagged'}, pushed {self.pushed:%Y-%m-%dT%H:%M:%SZ}"


def past(answer: Mapping[str, Any], name: str, now: datetime) -> datetime:
    """The time in the field *name*, which must be there and not be yet to come."""
    time = when(answer, name)
    if time is None or time > now + SKEW:
        raise malformed(f"{name} is {time}")
    return time


def counted_images(
    repositories: Sequence[Mapping[str, Any]], enhanced: bool, region: Region, context: Context
) -> tuple[list[Image], list[Observed | Excluded]]:
    """The images that count, and what could not be read or holds none."""
    found: dict[str, list[Image]] = {}

    def look(repository: Mapping[str, Any]) -> Observed:
        name, arn = want(repository, "repositoryName", str), want(repository, "repositoryArn", str)
        listed = region.list("ecr", "describe_images", "imageDetails", repositoryName=name)
        images = [Image.of(i, repository, context.now) for i in records({"i": listed}, "i")]
        found[arn] = _counted(images, enhanced, context.now)
        return Observed(True, arn, f"{len(images)} images")

    rest: list[Observed | Excluded] = []
    for seen in region.each(repositories, lambda r: str(r.get("repositoryArn")), look):
        if seen.ok is not True:
            rest.append(seen)
        elif not found[seen.subject]:
            rest.append(Excluded(seen.subject, "holds no image", region.name))
    return [image for images in found.values() for image in images], rest


def _counted(images: Sequence[Image], enhanced: bool, now: datetime) -> list[Image]:
    """The newest tagged image, the newest at all where none is tagged, and those pulled lately.

    Amazon Inspector looks at an index's images, not at the index.
    """
    own = [i for i in images if _runs(i.answer)]
    if enhanced:
        own = [i for i in own if not i.index] or own
    tagged = [i for i in own if i.tags and not all(t.startswith("sha256-") for t in i.tags)]
    newest = sorted(tagged or own, key=lambda i: i.pushed)[-1:]
    return [i for i in own if i in newest or (i.pulled is not None and now - i.pulled <= IN_USE)]


def _runs(image: Mapping[str, Any]) -> bool:
    """Not so what is attached to another image, or is none."""
    kind = may(image, "artifactMediaType", str)
    return image.get("subjectManifestDigest") is None and (kind is None or kind in CONTAINERS)
