"""What Argo CD knows of deployments, collected before it forgets."""
