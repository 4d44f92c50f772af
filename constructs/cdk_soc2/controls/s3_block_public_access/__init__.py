"""Control 8: S3 Block Public Access."""

from cdk_soc2.controls.s3_block_public_access.control import (
    S3_BLOCK_PUBLIC_ACCESS as S3_BLOCK_PUBLIC_ACCESS,
)
