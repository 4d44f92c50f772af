"""Control 12: access reviews."""

from cdk_soc2.controls.access_reviews.control import ACCESS_REVIEWS as ACCESS_REVIEWS
