"""The controls that GitHub decides, in the handbook's order, with the checks put to GitHub."""

from cdk_soc2.control import Control
from cdk_soc2.controls.branch_protection import BRANCH_PROTECTION
from cdk_soc2.controls.change_management import CHANGE_MANAGEMENT
from cdk_soc2.sources.github.organization import GITHUB_MFA
from cdk_soc2.sources.github.scanning import GITHUB_IMAGE_SCANNING

GITHUB_CONTROLS: tuple[Control, ...] = (
    GITHUB_MFA,
    BRANCH_PROTECTION,
    GITHUB_IMAGE_SCANNING,
    CHANGE_MANAGEMENT,
)
