"""What an auditor would conclude from a vault, worked out beforehand and from nothing else."""
