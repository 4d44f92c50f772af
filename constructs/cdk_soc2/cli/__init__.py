"""The command ``soc2``: a thin skin on the library, one small module a command."""

from __future__ import annotations

import importlib
import sys

import click

from cdk_soc2 import __version__
from cdk_soc2.cli.errors import CouldNot

# Loaded only when called: an auditor who verifies waits for nothing else.
COMMANDS = {
    "argocd": "cdk_soc2.cli.argocd:argocd",
    "attach": "cdk_soc2.cli.attach:attach",
    "collect": "cdk_soc2.cli.collect:collect",
    "controls": "cdk_soc2.cli.controls:controls",
    "coverage": "cdk_soc2.cli.coverage:coverage",
    "gaps": "cdk_soc2.cli.gaps:gaps",
    "github": "cdk_soc2.cli.github:github",
    "guard": "cdk_soc2.cli.guard:guard",
    "init": "cdk_soc2.cli.init:init",
    "plan": "cdk_soc2.cli.plan:plan",
    "policy": "cdk_soc2.cli.policy:policy",
    "production": "cdk_soc2.cli.production:production",
    "readiness": "cdk_soc2.cli.readiness:readiness",
    "verify": "cdk_soc2.cli.verify:verify",
}


class Commands(click.Group):
    """Finds a command by its name in :data:`COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        return getattr(importlib.import_module(module), name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="soc2")
def soc2() -> None:
    """SOC 2 evidence of an AWS account: collect it, verify it, see what is missing.

    Data goes to stdout, words to stderr. Exit status: 0 good, 1 a finding, 2 could not do it.
    """


def main() -> None:
    """Run the command; the one place where an error becomes an exit status."""
    try:
        status = soc2(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("soc2: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; there is nobody to tell
        sys.exit(141)
    except CouldNot as error:
        click.echo(f"soc2: {error}", err=True)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)
