"""For your own tests: ``from cdk_soc2.testing import assert_soc2``."""

from cdk_soc2.deploy.assertion import assert_soc2 as assert_soc2

__all__ = ["assert_soc2"]
