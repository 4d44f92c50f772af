"""Puts the local AWS together and serves it until whoever started it is gone."""

from emulator import lifeline, pinned


def main() -> None:
    lifeline.watch()
    pinned.require()
    # Imported late: a ministack that `pinned` does not know must fail by name, not by ImportError.
    from emulator import (
        access,
        alarms,
        api_calls,
        cloudtrail,
        ebs,
        empty_lists,
        event_lookup,
        flow_logs,
        metrics,
        network_acls,
        regions,
        root,
        s3,
        s3control,
        secrets,
        services,
        transit_gateways,
    )
    from emulator.cloudformation import registry
    from ministack import app

    parts = (
        services, s3control, s3, secrets,
        ebs, flow_logs, regions, root, network_acls, transit_gateways, empty_lists,
        cloudtrail, api_calls, event_lookup, metrics, alarms,
        access, registry,
    )  # fmt: skip
    for part in parts:
        part.install()
    app.main()


if __name__ == "__main__":
    main()
