"""Other places that evidence comes from, besides the AWS account."""
