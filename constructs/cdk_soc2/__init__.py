"""SOC 2 controls for an AWS account: provisioned, checked, evidenced, verified."""

__version__ = "0.1.0"
