"""What finance's rules know about the world: frozen values, a leaf that imports nothing above."""
