"""CloudFormation resource types that ministack lacks or only half keeps."""
