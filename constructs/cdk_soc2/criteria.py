"""The trust services criteria our controls support, each in a few words of our own.

The ids are those of the 2017 Trust Services Criteria (revised points of focus 2022). Their text
belongs to the AICPA and is not repeated here. Only a service auditor concludes that one is met.
"""

from __future__ import annotations

from dataclasses import dataclass

FRAMEWORK = "2017 Trust Services Criteria (revised points of focus 2022)"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: its id, and what it asks in our words."""

    id: str
    asks: str


CRITERIA: dict[str, Criterion] = {
    id: Criterion(id, asks)
    for id, asks in {
        "CC1.1": "integrity and ethics",
        "CC1.2": "board oversight",
        "CC1.3": "structure, authority, reporting lines",
        "CC1.4": "competent people",
        "CC1.5": "accountability",
        "CC2.1": "complete and accurate information",
        "CC2.2": "internal communication",
        "CC2.3": "external communication",
        "CC3.1": "clear objectives",
        "CC3.2": "risks identified and analysed",
        "CC3.3": "fraud risk",
        "CC3.4": "significant change assessed",
        "CC4.1": "ongoing and separate evaluations",
        "CC4.2": "deficiencies communicated",
        "CC5.1": "control activities that mitigate risk",
        "CC5.2": "general controls over technology",
        "CC5.3": "policies and procedures",
        "CC6.1": "logical access to assets",
        "CC6.2": "users registered, authorized and removed",
        "CC6.3": "access by role, least privilege, segregation of duties",
        "CC6.4": "physical access",
        "CC6.5": "disposal of assets and data",
        "CC6.6": "threats from outside the boundary",
        "CC6.7": "data in transmission and movement",
        "CC6.8": "unauthorized or malicious software",
        "CC7.1": "vulnerabilities and configuration changes detected",
        "CC7.2": "anomalies monitored",
        "CC7.3": "security events evaluated",
        "CC7.4": "incidents responded to",
        "CC7.5": "recovery from incidents",
        "CC8.1": "changes authorized, tested and approved",
        "CC9.1": "business disruption mitigated",
        "CC9.2": "vendors and business partners",
        "A1.1": "capacity",
        "A1.2": "backup and recovery infrastructure",
        "A1.3": "recovery tested",
        "C1.1": "confidential information identified and protected",
        "C1.2": "confidential information disposed of",
    }.items()
}
