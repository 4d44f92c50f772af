"""Control 15: evidence."""

from cdk_soc2.controls.evidence.control import EVIDENCE as EVIDENCE
