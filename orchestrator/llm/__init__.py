"""Models behind one protocol: Claude, the offline playbook, scripts for tests."""
