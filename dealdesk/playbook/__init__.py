"""The offline player: rules that play each agent, labelled as rules."""
