"""Lets Lambda workers and commands run against the emulator reach S3 Control."""

import loopback_names

loopback_names.install()
