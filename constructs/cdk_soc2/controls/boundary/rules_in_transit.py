"""Control 0 in a template: what crosses the boundary, or leaves a store, is encrypted on its way."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.boundary.control import BOUNDARY
from cdk_soc2.template import Resource

IN_TRANSIT = ("CC6.7",)
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
MODERN = (
    "TLS13-1-2",
    "TLS13-1-3",
    "TLS-1-2",
    "FS-1-2",
)  # parts of the names of policies from TLS 1.2


@BOUNDARY.rule_for(
    LISTENER,
    fix="Let the listener on HTTP redirect to HTTPS and do nothing else; forward from the one on HTTPS.",
    criteria=IN_TRANSIT,
)
def http_listener_redirects(listener: Resource) -> Observed | None:
    """A load balancer's listener on HTTP only redirects to HTTPS, or only refuses."""
    if listener.value("Protocol") != "HTTP":
        return None
    ends = [_ends(listener.part(action)) for action in listener.nodes("DefaultActions")]
    ok = bool(ends) and all(ends)
    return listener.seen(ok, "redirects to HTTPS" if ok else "serves HTTP", "DefaultActions")


def _ends(action: Resource) -> bool:
    """Does the action end what came by HTTP?"""
    if action.value("Type") == "redirect":
        return action.value("RedirectConfig.Protocol") == "HTTPS"
    return action.value("Type") == "fixed-response"


@BOUNDARY.rule_for(
    LISTENER,
    fix="Set SslPolicy to one from TLS 1.2 on, such as ELBSecurityPolicy-TLS13-1-2-2021-06.",
    criteria=IN_TRANSIT,
)
def listener_wants_modern_tls(listener: Resource) -> Observed | None:
    """A load balancer's listener on HTTPS or TLS takes no TLS older than 1.2."""
    if listener.value("Protocol") not in ("HTTPS", "TLS"):
        return None
    policy = listener.value("SslPolicy")
    ok = policy is not None and any(part in str(policy) for part in MODERN)
    told = policy or "not said; the default takes TLS 1.0"
    return listener.seen(ok, f"SslPolicy is {told}", "SslPolicy")


@BOUNDARY.rule_for(
    "AWS::CloudFront::Distribution",
    fix="Use a certificate of your own with MinimumProtocolVersion TLSv1.2_2021 or later.",
    criteria=IN_TRANSIT,
)
def distribution_wants_modern_tls(distribution: Resource) -> Observed:
    """A distribution takes no TLS older than 1.2 from viewers."""
    path = "DistributionConfig.ViewerCertificate.MinimumProtocolVersion"
    own = "DistributionConfig.ViewerCertificate.CloudFrontDefaultCertificate"
    version = None if distribution.is_true(own) else distribution.value(path)
    ok = str(version).startswith(("TLSv1.2", "TLSv1.3"))
    return distribution.seen(ok, f"viewers may come with {version or 'TLS 1.0, the default'}", path)


@BOUNDARY.rule_for(
    "AWS::CloudFront::Distribution",
    fix="Set ViewerProtocolPolicy to redirect-to-https or https-only in every cache behavior.",
    criteria=IN_TRANSIT,
)
def distribution_serves_https_only(distribution: Resource) -> Observed:
    """A distribution serves nothing over HTTP."""
    config = "DistributionConfig"
    behaviors = [
        *distribution.nodes(f"{config}.DefaultCacheBehavior"),
        *distribution.nodes(f"{config}.CacheBehaviors"),
    ]
    policies = [distribution.part(b).value("ViewerProtocolPolicy") for b in behaviors]
    open = sum(policy not in ("redirect-to-https", "https-only") for policy in policies)
    told = f"{open or 'no'} of {len(policies)} cache behaviors take HTTP"
    return distribution.seen(not open, told, f"{config}.DefaultCacheBehavior")


@BOUNDARY.rule_for(
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::CacheCluster",
    fix="Set TransitEncryptionEnabled to true.",
    criteria=IN_TRANSIT,
)
def cache_wants_tls(cache: Resource) -> Observed:
    """A cache is spoken to over TLS."""
    return cache.true("TransitEncryptionEnabled")


@BOUNDARY.rule_for(
    "AWS::OpenSearchService::Domain",
    "AWS::Elasticsearch::Domain",
    fix="Set DomainEndpointOptions.EnforceHTTPS and NodeToNodeEncryptionOptions.Enabled to true.",
    criteria=IN_TRANSIT,
)
def search_domain_wants_tls(domain: Resource) -> Observed:
    """A search domain takes HTTPS only, and its nodes speak encrypted to each other."""
    needed = ("DomainEndpointOptions.EnforceHTTPS", "NodeToNodeEncryptionOptions.Enabled")
    seen = [domain.true(path) for path in needed]
    return next((o for o in seen if not o.ok), seen[0])


@BOUNDARY.rule_for(
    "AWS::MSK::Cluster",
    fix="Set EncryptionInTransit.ClientBroker to TLS and InCluster to true.",
    criteria=IN_TRANSIT,
)
def kafka_wants_tls(cluster: Resource) -> Observed:
    """A Kafka cluster speaks TLS only, to clients and within itself."""
    path = "EncryptionInfo.EncryptionInTransit"
    clients = cluster.value(f"{path}.ClientBroker") or "TLS"  # as MSK does by default
    within = cluster.value(f"{path}.InCluster") is None or cluster.is_true(f"{path}.InCluster")
    told = f"clients: {clients}, within: {'TLS' if within else 'in the clear'}"
    return cluster.seen(clients == "TLS" and within, told, path)


@BOUNDARY.rule_for(
    "AWS::RDS::DBProxy",
    fix="Set RequireTLS to true.",
    criteria=IN_TRANSIT,
)
def database_proxy_wants_tls(proxy: Resource) -> Observed:
    """A database proxy refuses connections without TLS."""
    return proxy.true("RequireTLS")
