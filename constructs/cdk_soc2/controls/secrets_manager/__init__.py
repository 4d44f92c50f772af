"""Control 6: Secrets Manager."""

from cdk_soc2.controls.secrets_manager.control import SECRETS_MANAGER as SECRETS_MANAGER
