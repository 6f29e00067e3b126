"""What a person touches: the command, client settings, the offline player, people, settings."""
