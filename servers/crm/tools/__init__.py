"""The CRM's tools, one module per subject; `server` registers them all."""
