"""The offline playbook: rules in the place of a model, so that everything works without a key.

It is not a language model and does not pretend to be one. Each agent has a play, a pure function
of the transcript that calls the same tools through the same loop and the same gate; its name is
stamped on every run and quote. It knows the shapes of the demo's texts and asks a person about
the rest; it does not generalise.
"""
