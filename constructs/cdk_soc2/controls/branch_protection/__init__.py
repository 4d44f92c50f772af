"""Control 9: protection of default branches."""

from cdk_soc2.controls.branch_protection.control import BRANCH_PROTECTION as BRANCH_PROTECTION
