"""Control 13: backup verification."""

from cdk_soc2.controls.backup_verification.control import (
    BACKUP_VERIFICATION as BACKUP_VERIFICATION,
)
