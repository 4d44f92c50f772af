"""What the boundary file says of a connection."""

from __future__ import annotations

from cdk_soc2.boundary import ReviewedConnection
from cdk_soc2.context import Context


def review_of(id: str, context: Context) -> ReviewedConnection | None:
    """The review of the connection *id*, even an expired one."""
    return next((c for c in context.boundary.reviewed_connections if c.id == id), None)


def is_reviewed(id: str, context: Context) -> bool:
    """Does a review of the connection *id* hold today?"""
    review = review_of(id, context)
    return review is not None and context.now.date() <= review.until
