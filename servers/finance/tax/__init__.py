"""Tax: places, rates, stacks of taxes, decisions and the breakdown of a document; all pure."""
