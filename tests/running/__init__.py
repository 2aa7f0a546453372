"""The portal as what runs: stopping, monitoring, deployment."""
