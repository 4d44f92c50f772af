"""An AWS on the loopback interface: ministack, and what it lacks for an audit's controls."""
